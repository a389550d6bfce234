"""What is installed. Tool settings live in pyproject.toml; the version is written here and nowhere else."""

import gzip
import io
import os
import tarfile
from pathlib import Path

from setuptools import find_packages, setup
from setuptools.command.sdist import sdist

SANDBOX = ["werkzeug>=3.1.2"]  # 3.1.0 and 3.1.1 break the sandbox
EXAMPLE = [*SANDBOX]
POSTGRES = ["psycopg[binary]>=3.2"]
MARIADB = ["mysqlclient>=2.2"]
REDIS = ["redis>=5.2"]
DEV = [
    *EXAMPLE,
    "bandit>=1.8",
    "build>=1.2",
    "celery-types>=0.26",
    "coverage>=7.10",
    "django-oauth-toolkit>=3.4",
    "django-stubs>=6.1",
    "django-tenants>=4.0",
    "gevent>=25.4",
    "hypothesis>=6.130",
    "import-linter>=2.17",
    "mailupy>=1.1.4",
    "mypy>=1.15",
    "pip-audit>=2.9",
    "playwright>=1.50",
    "pyright[nodejs]>=1.1.400",
    "pytest>=9.0",
    "pytest-django>=4.10",
    "pytest-timeout>=2.4",
    "pytest-xdist>=3.6",
    "ruff>=0.11",
    "sentry-sdk>=2.20",
    "tox>=4.24",
    "tox-uv>=1.25",
    "types-requests>=2.31",
]


class ReproducibleSdist(sdist):
    """The command `sdist`: with SOURCE_DATE_EPOCH in the environment, the same files give the same bytes.

    Wheels go by that variable already. For an sdist, setuptools takes times, modes and owners from the files, and adds
    the time of the build.
    """

    def make_archive(self, base_name, format, **options):  # noqa: A002 - the library's own argument name
        made = super().make_archive(base_name, format, **options)
        if "SOURCE_DATE_EPOCH" in os.environ and format == "gztar":
            _make_reproducible(Path(made), int(os.environ["SOURCE_DATE_EPOCH"]))
        return made


def _make_reproducible(archive, moment):
    """Write a .tar.gz anew. Its files are in order of their names, are nobody's, and have this moment as their time."""
    with tarfile.open(archive) as tar:
        found = [(each, tar.extractfile(each).read() if each.isfile() else b"") for each in tar.getmembers()]
    with (
        archive.open("wb") as file,
        gzip.GzipFile("", "wb", fileobj=file, mtime=moment) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as tar,
    ):
        for each, content in sorted(found, key=lambda pair: pair[0].name):
            anew = tarfile.TarInfo(each.name)
            anew.type, anew.size, anew.mtime = each.type, each.size, moment
            anew.mode = 0o755 if each.isdir() or each.mode & 0o100 else 0o644
            tar.addfile(anew, io.BytesIO(content))


setup(
    name="django-mailup-connect",
    version="0.1.0",
    description="Connect the users of a Django site to their MailUp accounts by OAuth 2, and keep them connected.",
    long_description=Path(__file__).with_name("README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    author="The django_mailup maintainers",
    author_email="maintainers@users.noreply.r-seed-2524fd54.example",  # the address of the commits
    project_urls={
        "MailUp": "https://www.mailup.com/",
        "MailUp's REST API": "https://helpmailup.atlassian.net/wiki/spaces/mailupapi/pages/36341777/Authenticating+with+OAuth+v2",
    },
    license_expression="MIT",
    license_files=["LICENSE"],
    python_requires=">=3.11",
    packages=find_packages(include=["django_mailup", "django_mailup.*"]),
    include_package_data=True,
    # `tox -e lowest` runs the tests with exactly these releases.
    install_requires=[
        "asgiref>=3.8.1",
        "celery>=5.4",
        "cryptography>=43",
        "django>=5.2",
        "django-environ>=0.12",
        "oauthlib>=3.2.2",
        "requests>=2.31",
        "requests-oauthlib>=2.0",
        "urllib3>=2.0.2",  # 1.26 takes half an answer for a whole one
    ],
    extras_require={
        "sandbox": SANDBOX,
        "example": EXAMPLE,
        "dev": DEV,
        "postgres": POSTGRES,
        "mariadb": MARIADB,
        "redis": REDIS,
    },
    cmdclass={"sdist": ReproducibleSdist},
    entry_points={"pytest11": ["django_mailup = django_mailup.pytest_plugin"]},
    keywords=["django", "mailup", "oauth2", "celery", "email marketing"],
    classifiers=[
        "Development Status :: 4 - Beta",
        "Environment :: Web Environment",
        "Framework :: Django",
        "Framework :: Django :: 5.2",
        "Framework :: Django :: 6.0",
        "Framework :: Django :: 6.1",
        "Framework :: Pytest",
        "Intended Audience :: Developers",
        "Operating System :: OS Independent",
        "Programming Language :: Python :: 3",
        "Programming Language :: Python :: 3 :: Only",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Programming Language :: Python :: 3.13",
        "Programming Language :: Python :: 3.14",
        "Programming Language :: Python :: 3.15",
        "Topic :: Communications :: Email :: Mailing List Servers",
        "Typing :: Typed",
    ],
)
