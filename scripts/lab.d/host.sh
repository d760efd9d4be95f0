# A host: its overlays, namespace, boot, commands in it, and its end.
# shellcheck shell=bash disable=SC2154  # globals of scripts/lab

host_names() {
	local dir
	for dir in "$run"/*/ "$cache"/hosts/*/; do
		[[ ! -d $dir ]] || basename "$dir"
	done | sort -u
}

host_name_valid() {
	[[ $1 =~ ^[a-z][a-z0-9-]{0,30}$ ]] || die "not a host name: '$1' (a-z, 0-9 and -, at most 31)"
}

host_check() {
	host_name_valid "$1"
	[[ -e $run/$1/release ]] || die "no such host: $1; make it with: scripts/lab up $1"
}

host_up() {
	local name='' release=noble boot=1 more=''
	while (($#)); do
		case $1 in
		--release) release=${2:-} && shift ;;
		--release=*) release=${1#*=} ;;
		--no-systemd) boot=0 ;;
		--cloud | --wget) more=${1#--} ;;
		-*) die "unknown option: $1" ;;
		*)
			[[ -z $name ]] || die "one host at a time: $1"
			name=$1
			;;
		esac
		shift || die 'usage: up NAME [--release RELEASE] [--no-systemd]'
	done
	host_name_valid "$name"
	check_release "$release"
	[[ $more != cloud || $release == noble ]] || die "--cloud is for noble only"
	[[ $more != wget || $release == jammy ]] || die "--wget is for jammy only"
	need_to_run
	cache_build "$release"
	until mkdir "$run/$name" 2>/dev/null; do
		[[ ! -e $run/$name ]] || die "host $name exists; remove it with: scripts/lab down $name"
		mkdir -p "$run"
	done
	trap 'host_remove "$host_new"' EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP
	host_new=$name
	host_mount "$name" "$release" "$more"
	ip netns add "lab-$name"
	# dockerd's bridge wants forwarding on; the namespace keeps it from this machine.
	nsenter "--net=/run/netns/lab-$name" bash -c \
		'ip link set lo up; echo 1 >/proc/sys/net/ipv4/ip_forward; echo 1 >/proc/sys/net/ipv6/conf/all/forwarding'
	servers_configure "$name" "$(part tools)/root"
	servers_start "$name"
	if ((boot)); then host_boot "$name"; fi
	echo "$release" >"$run/$name/release"
	trap - EXIT INT TERM HUP
}

host_mount() {
	local name=$1 release=$2 dir=$cache/hosts/$1 root=$run/$1/root lower
	lower=$(part "layer-$release")/fs:$(part "root-$release")/root
	[[ -z $3 ]] || lower=$(part "$3-$release")/fs:$lower
	mkdir -p "$dir"/{upper,work,www-upper,www-work,docker,containerd,log} "$root" "$run/$name/www"
	chmod 0700 "$dir"
	chmod 0710 "$dir/docker"
	mount -t overlay "lab-$name" "$root" \
		-o "lowerdir=$lower,upperdir=$dir/upper,workdir=$dir/work"
	mount -t overlay "lab-$name-www" "$run/$name/www" \
		-o "lowerdir=$(part "docker-$release")/www:$(part "archive-$release")/www:$(part hub)/www,upperdir=$dir/www-upper,workdir=$dir/www-work"
	echo "$name" >"$root/etc/hostname"
	tr -d - </proc/sys/kernel/random/uuid >"$root/etc/machine-id"
	echo 'nameserver 127.0.0.1' >"$root/etc/resolv.conf"
	{
		printf '%s\n' '127.0.0.1 localhost' "127.0.1.1 $name" '::1 localhost ip6-localhost'
		local host
		for host in "${lab_names[@]}"; do
			if [[ $host == registry-1.* ]]; then echo "127.0.0.2 $host"; else echo "127.0.0.1 $host"; fi
		done
	} >"$root/etc/hosts"
}

# host_nspawn NAME: becomes nspawn, which boots the host. Without its own seccomp filter, or
# Docker in it could not set up its keyrings and programs for device control.
host_nspawn() {
	local name=$1 dir=$cache/hosts/$1 options=()
	export SYSTEMD_SECCOMP=0 SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1 SYSTEMD_NSPAWN_API_VFS_WRITABLE=1
	[[ ! -e /dev/fuse ]] || options=(--bind=/dev/fuse)
	cgroup_run "host-$name" setsid systemd-nspawn -q --register=no --keep-unit -D "$run/$name/root" --machine="$name" \
		--capability=all --network-namespace-path="/run/netns/lab-$name" \
		--system-call-filter='add_key keyctl bpf @keyring' --bind="$dir/docker:/var/lib/docker" \
		--bind="$dir/containerd:/var/lib/containerd" --kill-signal=SIGRTMIN+3 --resolv-conf=off \
		--timezone=off --link-journal=no "${options[@]}" -b
}

host_boot() {
	local name=$1 procs state pid='' try
	procs=$(cgroup_top)/host-$name/payload/init.scope/cgroup.procs
	(host_nspawn "$name") </dev/null >"$cache/hosts/$name/log/console.log" 2>&1 9>&- &
	disown
	for try in {1..600}; do
		pid=$(head -n 1 "$procs" 2>/dev/null) && [[ -n $pid ]] && break
		sleep 0.02
	done
	[[ -n $pid ]] || die "$name does not start: $(tail -n 3 "$cache/hosts/$name/log/console.log")"
	echo "$pid" >"$run/$name/init"
	for try in {1..600}; do
		state=$(host_enter "$name" systemctl is-system-running --wait </dev/null 2>/dev/null) || true
		case $state in
		running) return 0 ;;
		degraded)
			say "$name is up, but degraded: $(host_enter "$name" systemctl --failed --plain --no-legend </dev/null | cut -d ' ' -f 1 | xargs)"
			return 0
			;;
		esac
		[[ -d /proc/$pid ]] || break
		sleep 0.02
	done
	die "$name does not boot (after $try tries: ${state:-no answer}); see $cache/hosts/$name/log/console.log"
}

# host_boot_image NAME: what was a chroot until now becomes a host that runs.
host_boot_image() {
	(($# == 1)) || die 'usage: boot NAME'
	host_check "$1"
	[[ ! -e $run/$1/init ]] || die "$1 has booted already"
	host_boot "$1"
}

# host_enter NAME COMMAND…: as root, clean environment, in the host's own cgroup
# (so that logind and Docker see a process of this host).
host_enter() {
	local name=$1 pid='' procs
	local -a clean=(env -i -C /root "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
		HOME=/root USER=root LOGNAME=root SHELL=/bin/bash "TERM=${TERM:-dumb}" LANG=C.UTF-8)
	shift
	[[ ! -e $run/$name/init ]] || pid=$(<"$run/$name/init")
	if [[ -z $pid ]]; then
		host_chroot "$name" "${clean[@]}" "$@"
		return
	fi
	procs=$(cgroup_top)/host-$name/payload/init.scope/cgroup.procs
	grep -qx "$pid" "$procs" 2>/dev/null || die "$name is not running any more; see $cache/hosts/$name/log/console.log"
	(
		echo "$BASHPID" >"$procs"
		# Signals as on any host, whatever they are for who runs this: a shell traps none that was ignored.
		exec env --default-signal nsenter -t "$pid" -m -u -i -n -p -C "${clean[@]}" "$@"
	)
}

# host_chroot NAME COMMAND…: for a host without init: a plain chroot in the host's
# network, with namespaces of its own for mounts and processes.
host_chroot() (
	local name=$1
	shift
	# shellcheck disable=SC2016
	cgroup_run "host-$name" nsenter "--net=/run/netns/lab-$name" \
		unshare --mount --propagation private --pid --fork --kill-child --uts --ipc bash -euc '
			mount -t proc proc "$1/proc"
			mount -t sysfs sysfs "$1/sys"
			mount -t devpts -o newinstance,ptmxmode=0666 devpts "$1/dev/pts"
			hostname "$2"
			exec chroot "$1" "${@:3}"' lab "$run/$name/root" "$name" "$@"
)

host_run() {
	local user='' tty=0 name
	while [[ ${1:-} == -* ]]; do
		case $1 in
		--user) user=${2:-} && shift ;;
		--user=*) user=${1#*=} ;;
		--tty) tty=1 ;;
		*) die "unknown option: $1" ;;
		esac
		shift
	done
	(($# >= 2)) || die 'usage: run [--user USER] [--tty] NAME COMMAND…'
	name=$1
	shift
	host_check "$name"
	((!tty)) || set -- script -qefc "${*@Q}" /dev/null
	# A login shell of the user: groups are read afresh, logind opens a session.
	# shellcheck disable=SC2016
	[[ -z $user ]] || set -- runuser -l -w LANG -c 'exec "$@"' -- "$user" lab "$@"
	host_enter "$name" "$@"
}

host_shell() {
	(($# == 1)) || die 'usage: shell NAME'
	host_run --tty "$1" bash -l
}

# Through the host itself: what lies on a tmpfs there (/run, /tmp) is not in `path`.
host_put() {
	(($# == 3)) || die 'usage: put NAME SRC DEST'
	host_check "$1"
	[[ -f $2 ]] || die "no such file: $2"
	local dest=$3
	[[ $dest != */ ]] || dest+=$(basename "$2")
	host_enter "$1" install -D -m 0755 /dev/stdin "$dest" <"$2"
}

host_path() {
	host_check "${1:-}"
	local logs=$cache/hosts/$1/log
	case ${2:-root} in
	root | www) echo "$run/$1/${2:-root}" ;;
	log) echo "$logs/access.log" ;;
	dns | console) echo "$logs/$2.log" ;;
	tools) readlink -f "$cache/hosts/$1/servers/tools" ;;
	keys) readlink -f "$cache/keys" ;;
	netns) echo "/run/netns/lab-$1" ;;
	*) die "no such path: $2 (root, www, log, dns, console, keys, tools, netns)" ;;
	esac
}

host_list() {
	local name state release
	for name in $(host_names); do
		state=broken
		release=$(cat "$run/$name/release" 2>/dev/null || echo -)
		if [[ $release != - ]]; then
			state=unbooted
			[[ ! -e $run/$name/init ]] || state=dead
			[[ $state != dead ]] || ! grep -qx "$(<"$run/$name/init")" "$(cgroup_top)/host-$name/payload/init.scope/cgroup.procs" 2>/dev/null || state=running
		fi
		printf '%s\t%s\t%s\n' "$name" "$release" "$state"
	done
}

host_down() {
	local name
	(($#)) || die 'usage: down NAME… | --all'
	# shellcheck disable=SC2046
	[[ $1 != --all ]] || set -- $(host_names)
	for name; do
		host_name_valid "$name"
		host_remove "$name"
	done
}

# Takes away whatever there is of a host, however far it came or fell.
host_remove() {
	trap '' INT TERM HUP
	cgroup_end "host-$1"
	cgroup_end "srv-$1"
	unmount_below "$run/$1"
	[[ ! -e /run/netns/lab-$1 ]] || ip netns del "lab-$1"
	rm -rf --one-file-system "${run:?}/$1" "$cache/hosts/$1"
	rmdir "$run" 2>/dev/null || true
	cgroup_tidy
	trap - INT TERM HUP
}
