# The parts "root-RELEASE": a Debian userland as debootstrapped, nothing of
# Ubuntu in it yet; beside it the .debs it came from (for the stand-in of
# Ubuntu's archive) and Debian's Docker packages (for the stand-in of Docker's).
# shellcheck shell=bash disable=SC2154  # globals of scripts/lab

# Debian's suite closest in age to an Ubuntu release.
suite_of() {
	case $1 in
	jammy) echo bookworm ;;
	noble) echo trixie ;;
	resolute) echo forky ;;
	esac
}

# What an Ubuntu server has and docker-ce depends on or recommends (except pigz,
# which a fresh server lacks too). No curl, gnupg, python3 or lsb-release: the
# product must do without.
root_packages=(systemd systemd-sysv dbus dbus-user-session libpam-systemd libnss-systemd
	sudo passwd init-system-helpers adduser procps kmod iproute2 iptables nftables
	ca-certificates apparmor git xz-utils openssh-server libseccomp2 uidmap apt-utils)

make_root() {
	local out=$1 release=$2 packages=("${root_packages[@]}") docker
	case $release in
	# The name service of a real Ubuntu desktop: static binaries break on it.
	noble)
		packages+=(libnss-resolve libnss-myhostname libnss-mdns)
		docker='docker.io docker-cli containerd runc docker-buildx docker-compose rootlesskit tini'
		;;
	resolute)
		packages+=(libzopfli1) # so that pigz is one package there, too
		docker='docker.io docker-cli containerd runc docker-buildx docker-compose rootlesskit tini-static'
		;;
	# The engine comes from noble's; only runc there wants a newer libc.
	jammy) docker=runc ;;
	esac
	mkdir "$out/debs" "$out/docker"
	# The hooks are for mmdebstrap's shell: it sets $1 and MMDEBSTRAP_APT_CONFIG.
	# shellcheck disable=SC2016
	debian_root "$(suite_of "$release")" "$out/root" --variant=minbase \
		--include="$(IFS=,; echo "${packages[*]}")" \
		--customize-hook="mv \"\$1\"/var/cache/apt/archives/*.deb '$out/debs'" \
		--customize-hook="cd '$out/debs' && $(root_download pigz)" \
		--customize-hook="cd '$out/docker' && $(root_download "$docker")"
}

# shellcheck disable=SC2016  # for mmdebstrap's shell
root_download() {
	printf 'APT_CONFIG="$MMDEBSTRAP_APT_CONFIG" apt-get -qq -o APT::Sandbox::User=root download %s' "$1"
}
