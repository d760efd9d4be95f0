# Parts over the layer of a release, with programs of Debian's that a host has only when it is asked
# for them.
# shellcheck shell=bash disable=SC2154  # globals of scripts/lab

# debian_layer OUT RELEASE SETTINGS PACKAGE…: the packages, and what the function
# SETTINGS does to the root with them.
debian_layer() {
	local out=$1 release=$2 settings=$3 root=$1/merged
	shift 3
	mkdir "$out/fs" "$out/work" "$out/apt" "$root"
	mount -t overlay overlay -o \
		"lowerdir=$(part "layer-$release")/fs:$(part "root-$release")/root,upperdir=$out/fs,workdir=$out/work" "$root"
	mount -t proc proc "$root/proc"
	debian_packages "$root" "$out/apt" "$release" "$@"
	"$settings" "$root"
	rm -rf "$root"/var/log/apt/* "$root"/var/log/*.log
	touch "$root/etc/.updated" "$root/var/.updated"
	umount "$root/proc" "$root"
	rm -r "$root" "$out/work" "$out/apt"
}

# From Debian's archive, by this machine's apt and the root's own dpkg. The lists
# stay outside, so that the root knows of no archive but Ubuntu's stand-in.
debian_packages() {
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
