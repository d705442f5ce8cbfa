"""Certificates for servers of tests."""

import datetime
import ssl
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


class Authority:
    """A certificate authority and what it certifies, on disk because `ssl` reads only files."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._root = self._certify("root", self._key, None)
        self.file = folder / "root.pem"
        self.file.write_bytes(_pem(self._root))
        self.roots = ssl.create_default_context()
        self.roots.load_verify_locations(cadata=_pem(self._root).decode())

    def server(self, name: x509.GeneralName, *, expired: bool = False) -> ssl.SSLContext:
        key = ec.generate_private_key(ec.SECP256R1())
        private = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        file = self._folder / "server.pem"
        file.write_bytes(private + _pem(self._certify("server", key, name, expired=expired)))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context

    def _certify(
        self,
        subject: str,
        key: ec.EllipticCurvePrivateKey,
        name: x509.GeneralName | None,
        *,
        expired: bool = False,
    ) -> x509.Certificate:
        today = datetime.datetime.now(datetime.UTC)
        day = datetime.timedelta(days=1)
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)]))
            .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "root")]))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(today - 9 * day)
            .not_valid_after(today - day if expired else today + day)
            .add_extension(x509.BasicConstraints(ca=name is None, path_length=None), True)
        )
        if name is not None:
            builder = builder.add_extension(x509.SubjectAlternativeName([name]), False)
        return builder.sign(self._key, hashes.SHA256())


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)
