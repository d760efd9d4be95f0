# The parts "archive-RELEASE": the stand-in for Ubuntu's archive. It offers the
# packages the base was made from (so that a test may purge and reinstall them),
# pigz, and empty packages named like the ones that conflict with docker-ce.
# shellcheck shell=bash disable=SC2154  # globals of scripts/lab

make_archive() {
	local release=$2 top=$1/www/archive.ubuntu.com/ubuntu dist index arch root
	root=$(part "root-$release")
	arch=$(dpkg --print-architecture)
	dist=$top/dists/$release
	index=$dist/main/binary-$arch
	mkdir -p "$top/pool/main" "$index"
	cp -l "$root"/debs/*.deb "$top/pool/main/"
	archive_conflicts "$top/pool/main" "$arch"
	(cd "$top" && apt-ftparchive packages pool/main) >"$index/Packages"
	gzip -9nk "$index/Packages"
	apt-ftparchive -o APT::FTPArchive::Release::Origin=Ubuntu \
		-o APT::FTPArchive::Release::Label=Ubuntu \
		-o APT::FTPArchive::Release::Suite="$release" \
		-o APT::FTPArchive::Release::Codename="$release" \
		-o APT::FTPArchive::Release::Version="$(version_of "$release")" \
		-o APT::FTPArchive::Release::Architectures="$arch" \
		-o APT::FTPArchive::Release::Components=main release "$dist" >"$1/Release"
	mv "$1/Release" "$dist/Release"
	sign_release "$dist" archive@lab.invalid
	ln -s archive.ubuntu.com "$1/www/security.ubuntu.com"
}

# The packages Docker's documentation says to remove first, without content.
archive_conflicts() {
	local pool=$1 arch=$2 name tree depends
	for name in docker.io docker-compose docker-compose-v2 docker-doc docker-buildx podman-docker containerd runc; do
		depends=
		[[ $name != docker.io ]] || depends='Depends: containerd, runc'
		[[ $name != containerd ]] || depends='Depends: runc'
		tree=$(mktemp -d)
		mkdir -p "$tree/DEBIAN" "$tree/usr/share/doc/$name"
		echo "Stand-in for Ubuntu's $name in a test lab." >"$tree/usr/share/doc/$name/README"
		printf '%s\n' "Package: $name" 'Version: 1.0-0ubuntu1' "Architecture: $arch" $'Section: admin\nPriority: optional' \
			'Maintainer: dockstrap lab <lab@lab.invalid>' ${depends:+"$depends"} \
			"Description: stand-in for Ubuntu's $name" >"$tree/DEBIAN/control"
		chmod 0755 "$tree"
		dpkg-deb --root-owner-group -Zgzip -z1 -b "$tree" "$pool/${name}_1.0-0ubuntu1_$arch.deb"
		rm -r "$tree"
	done
}
