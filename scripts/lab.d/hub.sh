# The part "hub": what the stand-in for Docker Hub holds: a registry's storage
# with library/hello-world:latest, written by hand in the registry's own layout,
# and the answer to a search.
# shellcheck shell=bash disable=SC2154  # globals of scripts/lab

make_hub() {
	local out=$1 store=$1/registry/docker/registry/v2 image=$1/image repo arch layer config manifest
	repo=$store/repositories/library/hello-world
	mkdir -p "$image" "$out/www/index.docker.io/v1"
	case $(dpkg --print-architecture) in
	armhf) arch=arm ;;
	ppc64el) arch=ppc64le ;;
	*) arch=$(dpkg --print-architecture) ;;
	esac
	# One static program and the text it prints.
	cp "$(part tools)/root/usr/bin/busybox" "$image/cat"
	printf '\nHello from Docker!\nThis message shows that your installation appears to be working correctly.\n\n' >"$image/hello.txt"
	tar -C "$image" --owner=0 --group=0 --mtime=@0 --sort=name -cf "$out/layer.tar" cat hello.txt
	gzip -nk "$out/layer.tar"
	layer=$(hub_blob "$store" "$out/layer.tar.gz")
	printf '{"architecture":"%s","os":"linux","config":{"Env":["PATH=/"],"Cmd":["/cat","/hello.txt"]},"rootfs":{"type":"layers","diff_ids":["%s"]},"history":[{"created_by":"dockstrap lab"}]}' \
		"$arch" "sha256:$(sha256sum <"$out/layer.tar" | cut -c 1-64)" >"$out/config"
	config=$(hub_blob "$store" "$out/config")
	printf '{"schemaVersion":2,"mediaType":"application/vnd.docker.distribution.manifest.v2+json","config":{"mediaType":"application/vnd.docker.container.image.v1+json","size":%d,"digest":"%s"},"layers":[{"mediaType":"application/vnd.docker.image.rootfs.diff.tar.gzip","size":%d,"digest":"%s"}]}' \
		"$(stat -c %s "$out/config")" "$config" "$(stat -c %s "$out/layer.tar.gz")" "$layer" >"$out/manifest"
	manifest=$(hub_blob "$store" "$out/manifest")
	hub_link "$layer" "$repo/_layers/sha256/${layer#*:}"
	hub_link "$config" "$repo/_layers/sha256/${config#*:}"
	hub_link "$manifest" "$repo/_manifests/revisions/sha256/${manifest#*:}"
	hub_link "$manifest" "$repo/_manifests/tags/latest/current"
	hub_link "$manifest" "$repo/_manifests/tags/latest/index/sha256/${manifest#*:}"
	printf '%s\n' '{"num_pages":1,"num_results":1,"page":1,"page_size":25,"query":"hello-world","results":[{"name":"hello-world","description":"Hello World!","star_count":1,"is_official":true,"is_automated":false,"is_trusted":false}]}' \
		>"$out/www/index.docker.io/v1/search"
	rm -r "$image" "$out"/layer.tar "$out"/layer.tar.gz "$out/config" "$out/manifest"
}

# Store a file under its digest and print the digest.
hub_blob() {
	local sum
	sum=$(sha256sum <"$2" | cut -c 1-64)
	install -D -m 0644 "$2" "$1/blobs/sha256/${sum:0:2}/$sum/data"
	echo "sha256:$sum"
}

hub_link() {
	mkdir -p "$2"
	printf '%s' "$1" >"$2/link"
}
