#!/bin/sh
# Certificates for one run of the TLS tests, in a directory of their own.
# usage: make_certs.sh DIR
set -eu

mkdir -p "$1"
cd "$1"

quietly()
{
	"$@" >>log 2>&1 || {
		cat log >&2
		exit 1
	}
}

new_key()
{
	quietly openssl ecparam -name prime256v1 -genkey -noout -out "$1"
}

# authority NAME
authority()
{
	new_key "$1.key"
	quietly openssl req -x509 -new -key "$1.key" -subj "/CN=test authority $1" -days 30 -out "$1.crt"
}

# leaf NAME AUTHORITY SUBJECT DAYS [ALTERNATIVE-NAMES]
leaf()
{
	echo 'basicConstraints = CA:FALSE' >leaf.ext
	if [ $# -gt 4 ]; then
		echo "subjectAltName = $5" >>leaf.ext
	fi
	quietly openssl req -new -key leaf.key -subj "$3" -out leaf.csr
	quietly openssl x509 -req -in leaf.csr -CA "$2.crt" -CAkey "$2.key" -CAcreateserial \
		-days "$4" -extfile leaf.ext -out "$1.crt"
	cp leaf.key "$1.key"
}

# leaf_from DATE NAME AUTHORITY ALTERNATIVE-NAMES - one that is good from a day on.
leaf_from()
{
	printf 'basicConstraints = CA:FALSE\nsubjectAltName = %s\n' "$4" >leaf.ext
	cat >ca.cnf <<-END
		[ca]
		default_ca = d
		[d]
		database = index.txt
		serial = index.serial
		new_certs_dir = .
		default_md = sha256
		policy = p
		[p]
		commonName = supplied
	END
	: >index.txt
	echo 01 >index.serial
	quietly openssl req -new -key leaf.key -subj "/CN=$2" -out leaf.csr
	quietly openssl ca -batch -notext -config ca.cnf -cert "$3.crt" -keyfile "$3.key" \
		-startdate "$1" -enddate 21500101000000Z -extfile leaf.ext -in leaf.csr -out "$2.crt"
	cp leaf.key "$2.key"
}

many=DNS:a.example
for i in 1 2 3 4 5 6 7 8 9 10 11 12; do
	many="$many,DNS:node-$i.example"
done

authority ca
authority stranger
new_key leaf.key
leaf server ca /CN=server 30 DNS:localhost,IP:127.0.0.1,IP:0:0:0:0:0:0:0:1
leaf address ca /CN=address 30 IP:127.0.0.1
leaf other ca /CN=localhost 30 DNS:redis.example,DNS:*.redis.example
leaf common ca /CN=localhost 30
leaf many ca /CN=many 30 "$many"
leaf expired ca /CN=expired 0 DNS:localhost
leaf_from 21400101000000Z future ca DNS:localhost
quietly openssl req -x509 -new -key leaf.key -subj /CN=localhost -days 30 -out self.crt \
	-addext subjectAltName=DNS:localhost
cp leaf.key self.key
# Another authority that calls itself like ours.
new_key impostor.key
quietly openssl req -x509 -new -key impostor.key -subj "/CN=test authority ca" -days 30 -out impostor.crt
leaf forged impostor /CN=forged 30 'DNS:localhost
authorityKeyIdentifier = none'
leaf strange stranger /CN=strange 30 DNS:localhost,IP:127.0.0.1
leaf client ca /CN=client 30
leaf client-strange stranger /CN=client 30
new_key another.key
quietly openssl genrsa -out rsa.key 2048
openssl ec -in leaf.key -aes128 -passout pass:secret -out encrypted.key >>log 2>&1
openssl pkcs8 -topk8 -in leaf.key -passout pass:secret -out encrypted8.key >>log 2>&1
echo 'no certificate at all' >garbage.pem
