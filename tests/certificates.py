"""A certificate authority for tests, and what it signs. Its certificates are made anew in each run."""

from __future__ import annotations

import hashlib
import ipaddress
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

DAY = timedelta(days=1)


class Authority:
    """A certificate authority. It writes PEM files into a folder.

    Args:
        folder: where to write; it exists.
        name: the authority's name, in lower case, which no other in this folder has.

    Attributes:
        bundle: the file with its certificate, for clients that are to trust it.
        name_in_folder: the name under which OpenSSL looks for its certificate in a folder of certificates: a hash of
            the authority's name, as by `openssl rehash`.
    """

    def __init__(self, folder: Path, name: str = "authority") -> None:
        self._folder, self._name = folder, name
        self._key = ec.generate_private_key(ec.SECP256R1())
        subject = _named(name)
        certificate = (
            _builder(subject, subject, self._key.public_key(), datetime.now(UTC) + DAY)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(for_certificates=True), critical=True)
            .sign(self._key, hashes.SHA256())
        )
        self._identifier = x509.SubjectKeyIdentifier.from_public_key(self._key.public_key())
        self.bundle = folder / f"{name}.pem"
        self.bundle.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        # Without the two bytes of the outer sequence, and in lower case, as our names are.
        digest = hashlib.sha1(subject.public_bytes()[2:], usedforsecurity=False).digest()
        self.name_in_folder = f"{int.from_bytes(digest[:4], 'little'):08x}.0"

    def issue(self, host: str = "127.0.0.1", *, ends_in: timedelta = DAY, password: bytes | None = None) -> Path:
        """Return a file with a certificate for a host (a name or an address), or of a client, and its key.

        Args:
            ends_in: when it expires; negative if it has expired already.
            password: what the key is encrypted with; None if it isn't.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = (
            _builder(_named(host), _named(self._name), key.public_key(), datetime.now(UTC) + ends_in)
            .add_extension(x509.SubjectAlternativeName([_host(host)]), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(for_certificates=False), critical=True)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(self._identifier), critical=False
            )
            .sign(self._key, hashes.SHA256())
        )
        encryption = (
            serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
        )  # fmt: skip
        file = self._folder / f"{self._name}-{certificate.serial_number:x}.pem"
        file.write_bytes(
            key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)
            + certificate.public_bytes(serialization.Encoding.PEM)
        )
        return file


def server_context(certificate: Path, *, clients_of: Authority | None = None) -> ssl.SSLContext:
    """Return a server's TLS context.

    Args:
        certificate: the file with its certificate and key.
        clients_of: the authority whose certificate each client must have; None if clients need none.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    if clients_of is not None:
        context.load_verify_locations(clients_of.bundle)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, ends: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder(issuer, subject, key, x509.random_serial_number())
        .not_valid_before(min(datetime.now(UTC), ends) - DAY)
        .not_valid_after(ends)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _usage(*, for_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not for_certificates, content_commitment=False, key_encipherment=False,
        data_encipherment=False, key_agreement=False, key_cert_sign=for_certificates, crl_sign=for_certificates,
        encipher_only=False, decipher_only=False,
    )  # fmt: skip
