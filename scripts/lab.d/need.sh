# What the lab needs on this machine: packages, a cgroup2 tree, Debian's mirror.
# shellcheck shell=bash disable=SC2154  # globals of scripts/lab

# None of the packages named here starts a service; the servers live in a root of
# their own (servers.sh), so that nothing of them is installed on this machine.
need_to_build() {
	need mmdebstrap=mmdebstrap gpg=gnupg apt-ftparchive=apt-utils openssl=openssl \
		/usr/share/keyrings/debian-archive-keyring.gpg=debian-archive-keyring
	need_to_run
}

need_to_run() {
	need systemd-nspawn=systemd-container ip=iproute2 pgrep=procps flock=util-linux
}

# Debian's mirror as this machine's own apt knows it; empty on Ubuntu, where
# mmdebstrap's default serves.
debian_mirror() {
	# shellcheck disable=SC2016  # apt's own placeholders
	apt-get indextargets --format '$(ORIGIN)|$(LABEL)|$(REPO_URI)' 'Created-By: Packages' 2>/dev/null |
		awk -F'|' '$1 == "Debian" && $2 == "Debian" { print $3; exit }'
}

# Unpack a Debian root: debian_root SUITE DIR [MMDEBSTRAP-OPTION…]. A frozen
# mirror's Release may be past its date, hence no Valid-Until.
debian_root() {
	local suite=$1 dir=$2 mirror
	shift 2
	mirror=$(debian_mirror)
	mmdebstrap --quiet --mode=root --aptopt='Acquire::Check-Valid-Until "false"' \
		--aptopt='Acquire::Languages "none"' --aptopt='Acquire::Retries "3"' \
		--dpkgopt=force-unsafe-io "$@" "$suite" "$dir" ${mirror:+"$mirror"}
}

# The lab's folder in the cgroup2 tree. Every host and every build has a cgroup
# of its own below it: the one sure way to end all its processes at once.
cgroup_top() {
	local mount
	mount=$(findmnt -rnt cgroup2 -o TARGET | head -n 1)
	if [[ -z $mount ]]; then
		mount=$run.cgroup
		mkdir -p "$mount"
		mount -t cgroup2 cgroup2 "$mount" || die "this kernel has no cgroup2"
	fi
	echo "$mount/dockstrap-lab"
}

# Twice, for another run of the lab may just be removing the empty parent.
cgroup_make() { mkdir -p "$1" 2>/dev/null || mkdir -p "$1"; }

# cgroup_run NAME COMMAND…: become COMMAND inside the cgroup NAME.
cgroup_run() {
	local group
	group=$(cgroup_top)/$1
	shift
	cgroup_make "$group"
	echo "$BASHPID" >"$group/cgroup.procs"
	exec "$@"
}

# End every process in the cgroup and remove it. The shadow tree is what nspawn
# makes where cgroup v1's named hierarchy is mounted as well.
cgroup_end() {
	local name=$1 group shadow=/sys/fs/cgroup/systemd/dockstrap-lab try
	group=$(cgroup_top)/$name
	[[ -d $group ]] || return 0
	echo 1 >"$group/cgroup.kill"
	for try in {1..100}; do
		grep -q 'populated 0' "$group/cgroup.events" && break
		sleep 0.05
	done
	((try < 100)) || say "processes of $name do not end"
	find "$group" -depth -type d -exec rmdir {} + 2>/dev/null || true
	[[ ! -d $shadow/$name ]] || find "$shadow/$name" -depth -type d -exec rmdir {} + 2>/dev/null || true
}

# Remove the lab's own folder in the cgroup tree when nothing is left in it.
cgroup_tidy() {
	[[ -n $(host_names) ]] || rmdir "$(cgroup_top)" /sys/fs/cgroup/systemd/dockstrap-lab 2>/dev/null || true
}
