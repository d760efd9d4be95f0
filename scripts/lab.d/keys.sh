# The part "keys": the test keys that sign the repositories, and the throwaway CA
# with the servers' certificate. Made anew on every machine, never in the repo.
# shellcheck shell=bash disable=SC2154  # globals of scripts/lab

# The shape of Docker's own key: RSA-4096 primary (self-signature SHA-512) with
# an RSA-4096 signing subkey (binding signature SHA-256), neither expires.
make_keys() {
	local dir=$1 docker='Docker Release (dockstrap lab) <docker@lab.invalid>' archive='Ubuntu Archive (dockstrap lab) <archive@lab.invalid>'
	local -x GNUPGHOME=$dir/gnupg
	install -d -m 0700 "$GNUPGHOME"
	key_gpg --cert-digest-algo SHA512 --quick-generate-key "$docker" rsa4096 cert,sign never
	key_fingerprint_of "$docker" >"$dir/fingerprint"
	key_gpg --cert-digest-algo SHA256 --quick-add-key "$(<"$dir/fingerprint")" rsa4096 sign never
	key_gpg --cert-digest-algo SHA512 --quick-generate-key "$archive" rsa3072 cert,sign never
	key_gpg --armor --export "$(<"$dir/fingerprint")" >"$dir/docker.asc"
	key_gpg --export "$archive" >"$dir/archive.gpg"
	gpgconf --kill all
	make_tls "$dir"
}

key_gpg() { gpg --batch --quiet --no-tty --pinentry-mode loopback --passphrase '' "$@"; }

key_fingerprint_of() {
	gpg --batch --with-colons --list-keys "$1" | awk -F: '$1 == "fpr" { print $10; exit }'
}

# Some clients refuse a CA without keyUsage, hence both extensions.
make_tls() {
	local dir=$1 names='' name
	for name in "${lab_names[@]}"; do names+=,DNS:$name; done
	openssl req -x509 -newkey rsa:2048 -nodes -days 3650 -subj '/CN=dockstrap lab CA' \
		-addext 'basicConstraints=critical,CA:TRUE' -addext 'keyUsage=critical,keyCertSign,cRLSign' \
		-keyout "$dir/ca.key" -out "$dir/ca.pem" 2>/dev/null
	openssl req -newkey rsa:2048 -nodes -subj '/CN=dockstrap lab server' \
		-keyout "$dir/server.key" -out "$dir/server.csr" 2>/dev/null
	printf '%s\n' "subjectAltName=${names#,}" 'basicConstraints=critical,CA:FALSE' \
		'keyUsage=critical,digitalSignature,keyEncipherment' 'extendedKeyUsage=serverAuth' >"$dir/server.ext"
	openssl x509 -req -in "$dir/server.csr" -CA "$dir/ca.pem" -CAkey "$dir/ca.key" -set_serial 2 \
		-days 3650 -extfile "$dir/server.ext" -out "$dir/server.pem" 2>/dev/null
	rm "$dir/server.csr" "$dir/server.ext"
}

# The names the servers answer for. registry-1.docker.io has an address of its own.
lab_names=(download.docker.com archive.ubuntu.com security.ubuntu.com index.docker.io
	auth.docker.io registry-1.docker.io)

# sign_release DIR UID: InRelease and Release.gpg beside DIR/Release. SHA-512, and
# by the signing subkey where there is one, as both real archives do.
sign_release() {
	local keys lock
	keys=$(part keys)
	local -x GNUPGHOME=$keys/gnupg
	exec {lock}>"$cache/tmp/sign.lock"
	flock "$lock"
	key_gpg --digest-algo SHA512 -u "$2" --clearsign <"$1/Release" >"$1/InRelease"
	key_gpg --digest-algo SHA512 -u "$2" --armor --detach-sign <"$1/Release" >"$1/Release.gpg"
	gpgconf --kill all
	exec {lock}>&-
}

keys_fingerprint() {
	local dir
	dir=$(part keys)
	[[ -d $dir ]] || die "no test key yet; make it with: scripts/lab build"
	cat "$dir/fingerprint"
}
