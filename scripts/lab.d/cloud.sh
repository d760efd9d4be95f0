# The parts "cloud-RELEASE": what an image for clouds has beyond a server, over
# the layer of the release: Debian's cloud-init (and with it Python) and curl. A
# host has it only when it is asked for.
# shellcheck shell=bash disable=SC2154  # globals of scripts/lab

make_cloud() {
	local out=$1 release=$2 root=$1/merged
	mkdir "$out/fs" "$out/work" "$out/apt" "$root"
	mount -t overlay overlay -o \
		"lowerdir=$(part "layer-$release")/fs:$(part "root-$release")/root,upperdir=$out/fs,workdir=$out/work" "$root"
	mount -t proc proc "$root/proc"
	cloud_packages "$root" "$out/apt" "$release" cloud-init curl
	cloud_settings "$root"
	rm -rf "$root"/var/log/apt/* "$root"/var/log/*.log "$root/etc/netplan"
	touch "$root/etc/.updated" "$root/var/.updated"
	umount "$root/proc" "$root"
	rm -r "$root" "$out/work" "$out/apt"
}

# From Debian's archive, by this machine's apt and the root's own dpkg. The lists
# stay outside, so that the root knows of no archive but Ubuntu's stand-in.
cloud_packages() {
	local root=$1 apt=$2 suite mirror
	suite=$(suite_of "$3")
	shift 3
	mirror=$(debian_mirror)
	mkdir -p "$apt/lists/partial" "$root/var/cache/apt/archives/partial"
	echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]" \
		"${mirror:-http://deb.debian.org/debian} $suite main" >"$apt/sources.list"
	# Read before all else, so that this machine's own settings and hooks count for nothing.
	cat >"$apt/apt.conf" <<-EOF
		Dir "$root";
		Dir::Etc::Main "/dev/null";
		Dir::Etc::Parts "/dev/null";
		Dir::Etc::SourceList "$apt/sources.list";
		Dir::Etc::SourceParts "/dev/null";
		Dir::State::Lists "$apt/lists";
		Dir::Cache::PkgCache "";
		Dir::Cache::SrcPkgCache "";
		Acquire::Check-Valid-Until "false";
		Acquire::Languages "none";
		Acquire::Retries "3";
		APT::Install-Recommends "false";
		APT::Sandbox::User "root";
		DPkg::Chroot-Directory "$root";
		DPkg::Options:: "--force-unsafe-io";
	EOF
	APT_CONFIG=$apt/apt.conf apt-get -qq update
	DEBIAN_FRONTEND=noninteractive APT_CONFIG=$apt/apt.conf apt-get -qq --yes install "$@"
	APT_CONFIG=$apt/apt.conf apt-get clean
}

# What Ubuntu's images for clouds say, and what a sealed host needs: its data come
# from a folder, and its network and its sources are not cloud-init's to set up.
cloud_settings() {
	cat >"$1/etc/cloud/cloud.cfg.d/99_lab.cfg" <<-'EOF'
		datasource_list: [NoCloud]
		network: {config: disabled}
		apt: {preserve_sources_list: true}
		preserve_hostname: true
		system_info:
		  distro: ubuntu
		  default_user:
		    name: ubuntu
		    lock_passwd: true
		    shell: /bin/bash
	EOF
}
