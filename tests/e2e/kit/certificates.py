# SPDX-License-Identifier: Apache-2.0
"""A certificate authority that lasts as long as the suite."""

import datetime
import ipaddress
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID


def _name(common_name, organization=None):
    attributes = [x509.NameAttribute(NameOID.COMMON_NAME, common_name)]
    if organization:
        attributes.append(x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization))
    return x509.Name(attributes)


def _write_key(key, path: Path):
    path.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                       serialization.NoEncryption()))
    path.chmod(0o600)


class Authority:
    """Writes NAME.crt and NAME.key files into its directory; its own is ca.crt."""

    def __init__(self, directory: Path):
        self.directory = directory
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._subject = _name("eurekube-e2e")
        self.certificate = self._sign(self._subject, self._key.public_key(), [
            (x509.BasicConstraints(ca=True, path_length=None), True),
            (x509.KeyUsage(digital_signature=True, key_cert_sign=True, crl_sign=True, content_commitment=False,
                           key_encipherment=False, data_encipherment=False, key_agreement=False,
                           encipher_only=False, decipher_only=False), True)])
        self._write(self.certificate, "ca")

    @property
    def ca_file(self):
        return self.directory / "ca.crt"

    def server(self, name, addresses=("127.0.0.1",), names=("localhost",)):
        alternatives = [x509.IPAddress(ipaddress.ip_address(a)) for a in addresses] + [x509.DNSName(n) for n in names]
        return self._issue(name, _name(name), [(x509.SubjectAlternativeName(alternatives), False)])

    def client(self, name, organization):
        return self._issue(name, _name(name, organization), [])

    def signing_key(self, name):
        """A key pair without a certificate, for tokens: the files NAME.key and NAME.pub."""
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        private, public = self.directory / f"{name}.key", self.directory / f"{name}.pub"
        _write_key(key, private)
        public.write_bytes(key.public_key().public_bytes(serialization.Encoding.PEM,
                                                         serialization.PublicFormat.SubjectPublicKeyInfo))
        return private, public

    def _issue(self, name, subject, extensions):
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = self._sign(subject, key.public_key(), [(x509.BasicConstraints(ca=False, path_length=None), True), *extensions])
        key_file = self.directory / f"{name}.key"
        _write_key(key, key_file)
        return self._write(certificate, name), key_file

    def _sign(self, subject, public_key, extensions):
        now = datetime.datetime.now(datetime.timezone.utc)
        builder = (x509.CertificateBuilder().subject_name(subject).issuer_name(self._subject).public_key(public_key)
                   .serial_number(x509.random_serial_number())
                   .not_valid_before(now - datetime.timedelta(minutes=5)).not_valid_after(now + datetime.timedelta(days=1)))
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical)
        return builder.sign(self._key, hashes.SHA256())

    def _write(self, certificate, name):
        path = self.directory / f"{name}.crt"
        path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        return path
