# The part "tools": a root with the servers' programs, so that none of them is
# installed, let alone started, on this machine. Unpacked only, never configured.
# shellcheck shell=bash disable=SC2154  # globals of scripts/lab

make_tools() {
	local root=$1/root
	debian_root trixie "$root" --variant=extract \
		--include=base-files,nginx-light,dnsmasq-base,docker-registry,busybox-static
	mkdir -p "$root/lab" "$root/var/lib/nginx" "$root/var/log/nginx" "$root/proc" "$root/run"
	echo 'root:x:0:0:root:/root:/bin/sh' >"$root/etc/passwd"
	echo 'root:x:0:' >"$root/etc/group"
	chroot "$root" /usr/sbin/nginx -v
}
