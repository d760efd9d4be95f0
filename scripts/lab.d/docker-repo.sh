# The parts "docker-RELEASE": the stand-in for Docker's apt repository. Debian's
# packages unpacked and packed again under Docker's package names, control fields
# and file layout, in two engine versions, published and signed as Docker does.
# shellcheck shell=bash disable=SC2154  # globals of scripts/lab

make_docker() {
	local out=$1 release=$2 arch tree=$1/tree src=$1/src pool dist name from tag engine
	arch=$(dpkg --print-architecture)
	dist=$out/www/download.docker.com/linux/ubuntu/dists/$release
	pool=$dist/pool/stable/$arch
	tag=~ubuntu.$(version_of "$release")~$release
	mkdir -p "$tree" "$src" "$pool" "$dist/stable/binary-$arch"
	from=$(part "root-${release/#jammy/noble}")/docker
	for name in "$from"/*.deb; do docker_unpack "$name" "$src"; done
	if [[ $release == jammy ]]; then
		rm -r "$src/runc"
		docker_unpack "$(part root-jammy)"/docker/runc_*.deb "$src"
	fi
	docker_trees "$src" "$tree"
	engine=$(docker_version "$src" docker.io)
	docker_packages "$tree" "$pool" "$arch" "$tag" "$engine"
	docker_packages "$tree" "$pool" "$arch" "$tag" "$(version_before "$engine")" docker-ce docker-ce-cli
	docker_publish "$dist" "$release" "$arch"
	rm -r "$tree" "$src"
	# After the dists folder, so that a client that finds the key finds them too.
	install -m 0644 "$(part keys)/docker.asc" "${dist%/dists/*}/gpg"
}

docker_unpack() {
	local name=${1##*/}
	dpkg-deb -x "$1" "$2/${name%%_*}"
	dpkg-deb -f "$1" Version >"$2/${name%%_*}.version"
}

# The upstream version of an unpacked Debian package: 26.1.5+dfsg1-9 is 26.1.5.
docker_version() { grep -oE '^[0-9.]+' "$1/$2.version"; }

# The older engine is the same program under the version before.
version_before() {
	local patch=${1##*.} minor=${1%.*}
	if ((patch > 0)); then echo "$minor.$((patch - 1))"; else echo "${minor%.*}.$((${minor##*.} - 1)).9"; fi
}

# Lay the programs out as Docker's packages have them.
docker_trees() {
	local src=$1 tree=$2 unit
	local ce=$2/docker-ce cli=$2/docker-ce-cli ctd=$2/containerd.io extras=$2/docker-ce-rootless-extras
	local plugins=usr/libexec/docker/cli-plugins units=usr/lib/systemd/system
	mkdir -p "$ce/usr/bin" "$ce/$units" "$ce/etc/default" "$ce/etc/init.d" "$cli/usr/bin" "$ctd/usr/bin" "$ctd/$units" "$extras/usr/bin"
	cp "$src"/docker.io/usr/sbin/{dockerd,docker-proxy} "$ce/usr/bin/"
	cp "$(find "$src"/tini* -path '*/bin/tini-static')" "$ce/usr/bin/docker-init"
	cp "$src/docker.io/etc/default/docker" "$ce/etc/default/docker"
	sed 's|/usr/sbin/dockerd|/usr/bin/dockerd|' "$src/docker.io/etc/init.d/docker" >"$ce/etc/init.d/docker"
	chmod 0755 "$ce/etc/init.d/docker"
	for unit in service socket; do
		find "$src/docker.io" -name "docker.$unit" -exec cp {} "$ce/$units/" \;
	done
	# Docker's unit reads no /etc/default/docker, and its program is in /usr/bin.
	# shellcheck disable=SC2016  # the unit's own variable
	sed -i -e '/^EnvironmentFile/d' -e 's| \$DOCKER_OPTS||' -e 's|/usr/sbin/dockerd|/usr/bin/dockerd|' "$ce/$units/docker.service"
	cp "$src/docker-cli/usr/bin/docker" "$cli/usr/bin/"
	cp "$src"/containerd/usr/bin/{containerd,containerd-shim-runc-v2,ctr} "$ctd/usr/bin/"
	cp "$src/runc/usr/sbin/runc" "$ctd/usr/bin/"
	find "$src/containerd" -name containerd.service -exec cp {} "$ctd/$units/" \;
	mkdir -p "$ctd/etc/containerd"
	echo 'disabled_plugins = ["cri"]' >"$ctd/etc/containerd/config.toml"
	cp "$src"/rootlesskit/usr/bin/* "$src"/docker.io/usr/share/docker.io/contrib/dockerd-rootless*.sh "$extras/usr/bin/"
	for unit in buildx compose; do
		mkdir -p "$tree/docker-$unit-plugin/$plugins"
		cp "$src/docker-$unit/$plugins/docker-$unit" "$tree/docker-$unit-plugin/$plugins/"
		cp "$src/docker-$unit.version" "$tree/docker-$unit-plugin.version"
	done
	cp "$src/containerd.version" "$tree/containerd.io.version"
}

# docker_packages TREE POOL ARCH TAG ENGINE [PACKAGE…]: pack, all by default.
docker_packages() {
	local tree=$1 pool=$2 arch=$3 tag=$4 engine=$5 name version
	shift 5
	(($#)) || set -- docker-ce docker-ce-cli docker-ce-rootless-extras containerd.io docker-buildx-plugin docker-compose-plugin
	for name; do
		case $name in
		docker-ce*) version=5:$engine-1$tag ;;
		*) version=$(docker_version "$tree" "$name")-1$tag ;;
		esac
		rm -rf "$tree/$name/DEBIAN"
		mkdir "$tree/$name/DEBIAN"
		docker_control "$name" "$version" "$arch" "$(du -sk "$tree/$name" | cut -f 1)" >"$tree/$name/DEBIAN/control"
		deb_scripts "$tree/$name/DEBIAN" "$name"
		(cd "$tree/$name" && find etc -type f -printf '/%p\n' 2>/dev/null | sort) >"$tree/conffiles" || true
		[[ ! -s $tree/conffiles ]] || cp "$tree/conffiles" "$tree/$name/DEBIAN/conffiles"
		# zstd as Ubuntu's own packages have it; level 3 is a tenth of xz's time.
		dpkg-deb --root-owner-group -Zzstd -z3 -b "$tree/$name" "$pool/${name}_${version#*:}_$arch.deb"
	done
}

docker_control() {
	printf '%s\n' "Package: $1" "Version: $2" "Architecture: $3" "Installed-Size: $4" 'Section: admin' \
		'Priority: optional' 'Maintainer: Docker <support@docker.com>' 'Homepage: https://www.docker.com'
	case $1 in
	docker-ce) printf '%s\n' 'Pre-Depends: init-system-helpers (>= 1.54~)' \
		'Depends: containerd.io (>= 1.6.24), docker-ce-cli, iptables, nftables, libc6 (>= 2.34), libsystemd0' \
		'Recommends: apparmor, ca-certificates, docker-ce-rootless-extras, git, pigz, procps, xz-utils' \
		'Suggests: cgroupfs-mount | cgroup-lite' 'Conflicts: docker.io' 'Replaces: docker.io' ;;
	docker-ce-cli) printf '%s\n' 'Depends: libc6 (>= 2.34)' 'Recommends: docker-buildx-plugin, docker-compose-plugin' \
		'Suggests: docker-model-plugin' 'Conflicts: docker.io, docker-cli' ;;
	containerd.io) printf '%s\n' 'Depends: libc6 (>= 2.34), libseccomp2 (>= 2.5.0)' 'Provides: containerd, runc' \
		'Conflicts: containerd, runc' 'Replaces: containerd, runc' ;;
	docker-ce-rootless-extras) printf '%s\n' 'Depends: dbus-user-session' 'Enhances: docker-ce' \
		'Conflicts: rootlesskit' 'Replaces: rootlesskit' 'Breaks: rootlesskit' ;;
	*) printf '%s\n' 'Enhances: docker-ce-cli' ;;
	esac
	printf '%s\n' "Description: stand-in for Docker's $1" " Debian's programs, packed for a test lab."
}

# docker_publish DIST RELEASE ARCH: the index and the signed Release. No Codename,
# no by-hash, no Valid-Until: Docker's has none.
docker_publish() {
	local dist=$1 release=$2 arch=$3 index=$1/stable/binary-$3 text
	(cd "${dist%/dists/*}" && apt-ftparchive packages "dists/$release/pool/stable/$arch") >"$index/Packages"
	gzip -9nk "$index/Packages"
	bzip2 -k "$index/Packages"
	text=$(apt-ftparchive -o APT::FTPArchive::Release::Origin=Docker \
		-o 'APT::FTPArchive::Release::Label=Docker CE' \
		-o APT::FTPArchive::Release::Suite="$release" \
		-o APT::FTPArchive::Release::Architectures="$arch" \
		-o APT::FTPArchive::Release::Components=stable release "$dist")
	printf '%s\n' "$text" >"$dist/Release"
	sign_release "$dist" docker@lab.invalid
}
