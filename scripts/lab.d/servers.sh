# The servers around a host: nginx, a name server and a registry, run from the
# part "tools" on the loopback of the host's namespace.
# shellcheck shell=bash disable=SC2154  # globals of scripts/lab

servers_command() {
	(($# == 2)) || die 'usage: servers NAME stop|start|restart'
	host_check "$1"
	case $2 in
	stop) cgroup_end "srv-$1" ;;
	start) servers_start "$1" ;;
	restart)
		cgroup_end "srv-$1"
		servers_start "$1"
		;;
	*) die 'usage: servers NAME stop|start|restart' ;;
	esac
}

# servers_configure NAME TOOLS: the folder that is /lab for the servers.
servers_configure() {
	local dir=$cache/hosts/$1/servers keys name
	keys=$(part keys)
	mkdir -p "$dir"/{etc,run,www} "$cache/hosts/$1/log"
	ln -sfn "$2" "$dir/tools"
	cp -a "$(part hub)/registry" "$dir/registry"
	install -m 0600 "$keys"/server.{key,pem} "$dir/etc/"
	touch "$cache/hosts/$1/log"/{access,dns,registry,nginx}.log
	ln "$cache/hosts/$1/log"/{access,dns,registry,nginx}.log "$dir/run/"
	for name in "${lab_names[@]}"; do
		if [[ $name == registry-1.* ]]; then echo "127.0.0.2 $name"; else echo "127.0.0.1 $name"; fi
	done >"$dir/etc/hosts"
	servers_nginx >"$dir/etc/nginx.conf"
	cat >"$dir/etc/registry.yml" <<-'EOF'
		version: 0.1
		log: { level: info, accesslog: { disabled: true } }
		storage: { filesystem: { rootdirectory: /lab/registry }, delete: { enabled: true } }
		http: { addr: '127.0.0.3:5000', host: 'https://registry-1.docker.io' }
	EOF
}

# One catch-all server: the folder named like the host asked for, 404 without one,
# so that a request for any name is logged. Runs as root in order that whatever
# mode a test gives a file, it is served.
servers_nginx() {
	cat <<-'EOF'
		user root;
		worker_processes 1;
		pid /lab/run/nginx.pid;
		error_log /lab/run/nginx.log warn;
		events { worker_connections 512; }
		http {
		  log_format lab '$host $request_method $request_uri $status $body_bytes_sent';
		  access_log /lab/run/access.log lab;
		  client_body_temp_path /lab/run/body;
		  proxy_temp_path /lab/run/proxy;
		  fastcgi_temp_path /lab/run/fastcgi;
		  uwsgi_temp_path /lab/run/uwsgi;
		  scgi_temp_path /lab/run/scgi;
		  default_type application/octet-stream;
		  sendfile on;
		  ssl_certificate /lab/etc/server.pem;
		  ssl_certificate_key /lab/etc/server.key;
		  client_max_body_size 0;
		  server {
		    listen 127.0.0.1:80 default_server;
		    listen 127.0.0.1:443 ssl default_server;
		    root /lab/www/$host;
		    location = /v1/search { default_type application/json; }
		  }
		  server {
		    listen 127.0.0.2:443 ssl default_server;
		    location / {
		      proxy_pass http://127.0.0.3:5000;
		      proxy_set_header Host $http_host;
		      proxy_set_header X-Forwarded-Proto https;
		      proxy_request_buffering off;
		    }
		  }
		}
	EOF
}

servers_start() {
	local name=$1 dir=$cache/hosts/$1/servers port try
	! grep -qs 'populated 1' "$(cgroup_top)/srv-$name/cgroup.events" || return 0
	(cgroup_run "srv-$name" setsid nsenter "--net=/run/netns/lab-$name" unshare --mount --propagation private \
		bash -euc "$(declare -f servers_inside); servers_inside \"\$@\"" servers "$dir" "$run/$name/www") \
		</dev/null >>"$cache/hosts/$name/log/registry.log" 2>&1 9>&- &
	disown
	for port in 127.0.0.1/80 127.0.0.1/443 127.0.0.1/53 127.0.0.2/443 127.0.0.3/5000; do
		for try in {1..200}; do
			nsenter "--net=/run/netns/lab-$name" bash -c ": </dev/tcp/$port" 2>/dev/null && continue 2
			sleep 0.05
		done
		die "no server on $port after $try tries; see $cache/hosts/$name/log"
	done
}

# Runs in a mount namespace of its own: makes the tools' root the root, with the
# host's folder on /lab, and lets go of every other mount of this machine (a copy
# would hold another host's overlay after it is gone).
servers_inside() {
	local dir=$1 www=$2 tools
	tools=$(readlink "$dir/tools")
	mount --bind "$tools" "$tools"
	mount --bind "$dir" "$tools/lab"
	mount --bind "$www" "$tools/lab/www"
	cd "$tools" || exit
	pivot_root . .
	/usr/bin/busybox umount -l .
	/usr/sbin/nginx -c /lab/etc/nginx.conf
	/usr/sbin/dnsmasq --conf-file=/dev/null --user=root --pid-file=/lab/run/dnsmasq.pid \
		--bind-interfaces --listen-address=127.0.0.1 --no-resolv --no-hosts --addn-hosts=/lab/etc/hosts \
		'--address=/#/' --log-queries --log-facility=/lab/run/dns.log
	exec /usr/bin/docker-registry serve /lab/etc/registry.yml
}
