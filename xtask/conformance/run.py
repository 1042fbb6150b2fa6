"""Asks the real server everything that its OpenAPI document allows, and much that it does not, and looks at the answers.

No answer may be a fault of the server's (5xx), and each must be one that the document describes: status, media type, schema.
Called by `cargo xtask conformance` with the server's program and the number of examples for each call.
"""

import base64
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

PASSWORD = "correct horse battery staple"

CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"

# What would end the session or the accounts that everything else is asked with.
ENDING = {
    "logout",
    "logout_of_provider",
    "end_session",
    "end_other_sessions",
    "refresh",
    "change_password",
    "confirm_second_factor",
    "drain_node",
    "remove_node",
}

# Bodies of media types that the tool cannot write; all have tests of their own.
UNWRITABLE = {"upload_batch", "append_upload", "put_picture"}

START_SECONDS = 60


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    def __init__(self, program, folder):
        self.url = f"http://127.0.0.1:{free_port()}"
        self.log = folder / "server.log"
        arguments = [program, "serve", "--data-dir", folder / "data", "--listen", self.url.removeprefix("http://")]
        environment = {**os.environ, "HOLDFAST_ADMIN_PASSWORD": PASSWORD}
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(arguments, env=environment, stdout=log, stderr=log)
        self.headers = {}

    def wait(self):
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                urllib.request.urlopen(f"{self.url}/readyz", timeout=2).close()
                return
            except OSError:
                time.sleep(0.1)
        sys.exit(f"the server does not start:\n{self.log.read_text()[-2000:]}")

    def call(self, method, path, body=None, headers=(), raw=None):
        data = raw if body is None else json.dumps(body).encode()
        kind = {} if body is None else {"content-type": "application/json"}
        request = urllib.request.Request(
            f"{self.url}/api/v1{path}", data=data, method=method, headers={**self.headers, **kind, **dict(headers)}
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            text = answer.read()
            return (json.loads(text) if text else None), answer.headers

    def sign_in(self):
        """Takes a new access token; who that is."""
        self.headers = {}
        login, _ = self.call("POST", "/login", {"name": "admin", "password": PASSWORD})
        self.headers = {"authorization": f"Bearer {login['access_token']}"}
        return login["user"]

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=60)


def populate(server):
    """Makes one of everything, so that calls reach more than "there is no such thing". Ids by the parts of paths."""
    space = server.sign_in()["space_id"]
    make = lambda path, body: server.call("POST", path, body)[0]
    file, _ = server.call("POST", "/files?name=a.txt", headers={"content-type": "text/plain"}, raw=b"hello")
    folder = make("/folders", {"name": "d"})
    link = make(f"/entries/{file['id']}/links", {"mode": "download"})
    tag = make(f"/spaces/{space}/tags", {"name": "t", "colour": "red"})
    versions, _ = server.call("GET", f"/files/{file['id']}/versions")
    grant, _ = server.call(
        "PUT", f"/entries/{folder['id']}/grants", {"subject": {"kind": "everyone"}, "role": "viewer"}
    )
    group = make("/groups", {"name": "g"})
    person = make("/admin/users", {"name": "bob", "password": PASSWORD})
    person = person.get("person", person)
    team = make("/spaces", {"name": "team"})
    nodes, _ = server.call("GET", "/admin/nodes")
    nodes = nodes["items"] if isinstance(nodes, dict) else nodes
    name = base64.b64encode(b"up").decode()
    begun = {"tus-resumable": "1.0.0", "upload-length": "10", "upload-metadata": f"filename {name}"}
    _, answer = server.call("POST", "/uploads", headers=begun, raw=b"")
    upload = answer["location"].rsplit("/", 1)[1]
    return [
        ("/public/links/", {"token": link["token"], "entry": file["id"]}),
        ("/admin/users/", {"id": person["id"]}),
        ("/admin/nodes/", {"id": nodes[0]["id"]}),
        ("/admin/spaces/", {"id": team["id"]}),
        ("/admin/uploads/", {"id": upload}),
        ("/folders/", {"id": folder["id"]}),
        ("/files/", {"id": file["id"], "version": versions["items"][0]["id"]}),
        ("/entries/", {"id": file["id"]}),
        ("/trash/", {"id": file["id"]}),
        ("/tags/", {"id": tag["id"]}),
        ("/spaces/", {"id": space}),
        ("/links/", {"id": link["id"]}),
        ("/grants/", {"id": grant["id"]}),
        ("/uploads/", {"id": upload}),
        ("/groups/", {"id": group["id"], "user": person["id"]}),
        ("/users/", {"id": person["id"]}),
    ]


def configuration(document, known, deletes):
    """What the tool asks, and with which ids: everything but DELETE, or DELETE alone."""
    lines = []
    for path, operations in document["paths"].items():
        ids = next((ids for part, ids in known if f"{part}{{" in path), {})
        ids = {name: value for name, value in ids.items() if f"{{{name}}}" in path}
        for method, operation in operations.items():
            if method not in {"get", "put", "post", "patch", "delete", "head"}:
                continue
            name = operation["operationId"]
            wanted = (method == "delete") == deletes and name not in ENDING | UNWRITABLE
            lines += ["[[operations]]", f'include-name = "{method.upper()} {path}"', f"enabled = {str(wanted).lower()}"]
            if ids:
                given = ", ".join(f'"path.{name}" = "{value}"' for name, value in ids.items())
                lines.append(f"parameters = {{ {given} }}")
    return "\n".join(lines) + "\n"


def main(program, examples):
    with tempfile.TemporaryDirectory(prefix="holdfast-conformance-") as folder:
        folder = Path(folder)
        server = Server(program, folder)
        try:
            server.wait()
            known = populate(server)
            document, _ = server.call("GET", "/openapi.json")
            described = folder / "openapi.json"
            described.write_text(json.dumps(document))
            failed = False
            for deletes in (False, True):
                # Access tokens live for a quarter of an hour.
                server.sign_in()
                settings = folder / "schemathesis.toml"
                settings.write_text(configuration(document, known, deletes))
                tool = Path(sys.executable).with_name("schemathesis")
                command = [tool, "--config-file", settings, "run", described, "--url", server.url]
                command += ["--header", f"Authorization: {server.headers['authorization']}"]
                command += ["--checks", CHECKS, "--max-examples", examples, "--phases", "coverage,fuzzing"]
                command += ["--workers", "1", "--request-timeout", "30", "--generation-database", "none", "--no-color"]
                failed |= subprocess.run(command, cwd=folder).returncode != 0
            if server.process.poll() is not None or "panicked" in server.log.read_text():
                sys.exit(f"the server fell over:\n{server.log.read_text()[-4000:]}")
            sys.exit(int(failed))
        finally:
            server.stop()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
