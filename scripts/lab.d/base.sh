# The parts "layer-RELEASE": what makes a Debian root an Ubuntu-like server. It
# is an overlay's upper directory over the part "root-RELEASE", so that a change
# here costs seconds.
# shellcheck shell=bash disable=SC2154  # globals of scripts/lab

version_of() {
	case $1 in
	jammy) echo 22.04 ;;
	noble) echo 24.04 ;;
	resolute) echo 26.04 ;;
	esac
}

make_layer() {
	local out=$1 release=$2 root=$1/merged
	mkdir "$out/fs" "$out/work" "$root"
	mount -t overlay overlay -o "lowerdir=$(part "root-$release")/root,upperdir=$out/fs,workdir=$out/work" "$root"
	base_identity "$root" "$release"
	base_apt "$root" "$release"
	base_users "$root"
	base_units "$root"
	[[ $release != resolute ]] || base_logind "$root"
	[[ $release != noble ]] ||
		sed -i 's/^hosts:.*/hosts: files mdns4_minimal [NOTFOUND=return] resolve [!UNAVAIL=return] dns/' "$root/etc/nsswitch.conf"
	install -m 0644 "$(part keys)/ca.pem" "$root/usr/local/share/ca-certificates/dockstrap-lab.crt"
	chroot "$root" update-ca-certificates
	base_tidy "$root"
	chroot "$root" apt-cache -q gencaches
	umount "$root"
	rm -r "$root" "$out/work"
}

base_identity() {
	local root=$1 release=$2 version full name
	version=$(version_of "$release")
	case $release in
	jammy) full='22.04.5 LTS' name='Jammy Jellyfish' ;;
	noble) full='24.04.3 LTS' name='Noble Numbat' ;;
	resolute) full='26.04 LTS' name='Resolute Raccoon' ;;
	esac
	# The link is there in Debian as in Ubuntu; write through it, whatever it is.
	cat >"$root/usr/lib/os-release" <<-EOF
		PRETTY_NAME="Ubuntu $full"
		NAME="Ubuntu"
		VERSION_ID="$version"
		VERSION="$full ($name)"
		VERSION_CODENAME=$release
		ID=ubuntu
		ID_LIKE=debian
		HOME_URL="https://www.ubuntu.com/"
		SUPPORT_URL="https://help.ubuntu.com/"
		BUG_REPORT_URL="https://bugs.launchpad.net/ubuntu/"
		PRIVACY_POLICY_URL="https://www.ubuntu.com/legal/terms-and-policies/privacy-policy"
		UBUNTU_CODENAME=$release
	EOF
	ln -sfn ../usr/lib/os-release "$root/etc/os-release"
	printf '%s\n' DISTRIB_ID=Ubuntu "DISTRIB_RELEASE=$version" "DISTRIB_CODENAME=$release" \
		"DISTRIB_DESCRIPTION=\"Ubuntu $full\"" >"$root/etc/lsb-release"
	printf '%s\n' "Ubuntu $full \n \l" >"$root/etc/issue"
	echo LANG=C.UTF-8 >"$root/etc/default/locale"
	printf '%s\n' 'Vendor: Ubuntu' 'Parent: Debian' >"$root/etc/dpkg/origins/ubuntu"
	ln -sfn ubuntu "$root/etc/dpkg/origins/default"
}

# One source, Ubuntu's, with its lists as `apt-get update` leaves them.
base_apt() {
	local root=$1 release=$2 arch dist lists=$1/var/lib/apt/lists name
	arch=$(dpkg --print-architecture)
	dist=$(part "archive-$release")/www/archive.ubuntu.com/ubuntu/dists/$release
	rm -rf "$root"/etc/apt/sources.list "$root"/etc/apt/sources.list.d/* \
		"$root"/etc/apt/apt.conf.d/99mmdebstrap "$root"/etc/dpkg/dpkg.cfg.d/99mmdebstrap
	install -m 0644 "$(part keys)/archive.gpg" "$root/usr/share/keyrings/ubuntu-archive-keyring.gpg"
	printf '%s\n' 'Types: deb' 'URIs: http://archive.ubuntu.com/ubuntu' "Suites: $release" 'Components: main' \
		'Signed-By: /usr/share/keyrings/ubuntu-archive-keyring.gpg' >"$root/etc/apt/sources.list.d/ubuntu.sources"
	find "$lists" -type f -delete
	name=$lists/archive.ubuntu.com_ubuntu_dists_$release
	cp -p "$dist/InRelease" "${name}_InRelease"
	cp -p "$dist/main/binary-$arch/Packages" "${name}_main_binary-${arch}_Packages"
	# apt makes these on its first run: have them there, as on any host in use.
	mkdir -p "$lists/partial" "$lists/auxfiles" "$root/var/cache/apt/archives/partial"
	touch "$lists/lock" "$root/var/cache/apt/archives/lock"
	chmod 0640 "$lists/lock" "$root/var/cache/apt/archives/lock"
	chown _apt:root "$lists/partial" "$root/var/cache/apt/archives/partial" 2>/dev/null ||
		chroot "$root" chown _apt:root /var/lib/apt/lists/partial /var/cache/apt/archives/partial
	chmod 0700 "$lists/partial" "$root/var/cache/apt/archives/partial"
}

base_users() {
	local root=$1 user
	for user in alice:1000 bob:1001; do
		chroot "$root" useradd --create-home --shell /bin/bash --uid "${user#*:}" "${user%:*}"
	done
	chroot "$root" usermod -aG sudo alice
	# The search path is Ubuntu's; Debian's own leaves /usr/local out since forky.
	cat >"$root/etc/sudoers.d/alice" <<-'EOF'
		Defaults secure_path="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/snap/bin"
		alice ALL=(ALL) NOPASSWD:ALL
	EOF
	chmod 0440 "$root/etc/sudoers.d/alice"
}

# Off: what cannot work in a sealed host, what would run beside a test (timers),
# consoles that are not there, and generators that find nothing here, of which each
# takes its time at every reload. sshd is left for a test to start.
base_units() {
	local root=$1 unit generator
	for unit in systemd-resolved.service systemd-networkd-wait-online.service getty.target console-getty.service \
		apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer systemd-tmpfiles-clean.timer \
		e2scrub_all.timer e2scrub_reap.service fstrim.timer; do
		ln -sfn /dev/null "$root/etc/systemd/system/$unit"
	done
	mkdir -p "$root/etc/systemd/system-generators"
	for generator in "$root"/usr/lib/systemd/system-generators/*; do
		generator=${generator##*/}
		# The one that makes units of old scripts has to do with packages.
		[[ $generator == *sysv* ]] || ln -s /dev/null "$root/etc/systemd/system-generators/$generator"
	done
	chroot "$root" systemctl disable ssh.service ssh.socket || true
}

# nspawn covers the kernel's boot id by one of the host's own. These two settings
# give logind a fresh /proc without the cover, and since systemd 258 it refuses a
# session whose boot id is not its own.
base_logind() {
	local dir=$1/etc/systemd/system/systemd-logind.service.d
	mkdir -p "$dir"
	printf '%s\n' '[Service]' ProtectControlGroups=no ProtectProc=default >"$dir/lab.conf"
}

base_tidy() {
	local root=$1
	rm -rf "$root/etc/docker" "$root/etc/hostname" "$root/etc/resolv.conf" "$root"/var/log/apt/* "$root"/var/log/*.log
	mkdir -p "$root/var/lib/docker" "$root/var/lib/containerd"
	chmod 0710 "$root/var/lib/docker"
	: >"$root/etc/machine-id"
	# Without these stamps systemd rebuilds its caches at every first boot.
	touch "$root/etc/.updated" "$root/var/.updated"
}
