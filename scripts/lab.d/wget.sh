# The parts "wget-RELEASE": the programs that a server may have in the place of
# the usual ones, over the layer of the release: wget for curl, doas for sudo, and
# busybox for a second shell. A host has them only when it is asked for.
# shellcheck shell=bash disable=SC2154  # globals of scripts/lab

make_wget() {
	local out=$1 release=$2 root=$1/merged
	mkdir "$out/fs" "$out/work" "$out/apt" "$root"
	mount -t overlay overlay -o \
		"lowerdir=$(part "layer-$release")/fs:$(part "root-$release")/root,upperdir=$out/fs,workdir=$out/work" "$root"
	mount -t proc proc "$root/proc"
	# It would not go from a host whose root has no password.
	export SUDO_FORCE_REMOVE=yes
	cloud_packages "$root" "$out/apt" "$release" wget doas busybox sudo-
	echo 'permit nopass alice' >"$root/etc/doas.conf"
	rm -rf "$root"/var/log/apt/* "$root"/var/log/*.log
	touch "$root/etc/.updated" "$root/var/.updated"
	umount "$root/proc" "$root"
	rm -r "$root" "$out/work" "$out/apt"
}
