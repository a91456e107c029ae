"""The papers and the product say the same: settings, manual pages, links, and nothing about where they were written."""
import os
import re
import shutil
import subprocess
import tempfile
import unittest

SOURCE = os.environ["NEWSMILL_SOURCE"]
BIN = os.environ.get("NEWSMILL_BIN", "")
# What the checkout holds besides the product.
NOT_OURS = re.compile(r"\.(?!ci$)|build|__pycache__$")


def read(path):
    with open(os.path.join(SOURCE, path), encoding="utf-8") as file:
        return file.read()


def product_files():
    for folder, folders, files in os.walk(SOURCE):
        folders[:] = [name for name in folders if not NOT_OURS.match(name)]
        for name in files:
            if name == ".git":
                continue  # of a worktree; it says where the repository is
            yield os.path.relpath(os.path.join(folder, name), SOURCE)


def c_text(literals):
    return "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', literals))


def rows():
    """key: default, as lib/conf/rows.c has them."""
    version = re.search(r"project \(newsmill VERSION ([0-9.]+)", read("CMakeLists.txt")).group(1)
    source = read("lib/conf/rows.c").replace("NEWSMILL_VERSION", f'"{version}"')
    string = r'((?:"(?:[^"\\]|\\.)*"\s*)+)'
    found = re.findall(r"\{\s*" + string + r",\s*CONF_(\w+),\s*AT \(\w+\),\s*" + string, source)
    if not found or len(found) != len(re.findall(r"\bAT \(", source)):
        raise AssertionError("rows.c is no longer written as this test reads it")
    return {c_text(key): c_text(value) for key, _, value in found}


def page_settings():
    """key: default, from entries like `.It Cm fetcher.parallel No = Li 100`."""
    found = {}
    for key, value in re.findall(r"(?m)^\.It Cm ([a-z_.]+) No = Li (.+)$", read("docs/newsmill.conf.5")):
        value = value[1:-1] if value[0] == value[-1] == '"' else value
        assert key not in found, f"{key} stands twice"
        found[key] = "" if value == r"\(dq\(dq" else value
    return found


def sample_settings():
    """key: default, from commented lines: a section at the margin, settings indented by four blanks."""
    found, section = {}, None
    for line in read("deploy/newsmill.conf").splitlines():
        head, item = re.fullmatch(r"#([a-z]+)", line), re.fullmatch(r"#    ([a-z_]+) = (.*)", line)
        if head:
            section = head.group(1)
        elif item:
            key, value = f"{section}.{item.group(1)}", item.group(2)
            assert key not in found, f"{key} stands twice"
            found[key] = value[1:-1] if value[0] == value[-1] == '"' else value
        else:
            assert re.fullmatch(r"( *# .*)?", line), f"neither comment nor setting: {line}"
    return found


def programs():
    """Installed programs and the manual page each names, from all CMakeLists.txt."""
    found = {}
    for path in product_files():
        if os.path.basename(path) != "CMakeLists.txt":
            continue
        for call in re.findall(r"\bnm_program \(([^)]*)\)", read(path)):
            words = call.split()
            if "DESTINATION" in words and words[words.index("DESTINATION") + 1] == "none":
                continue
            page = words[words.index("MAN") + 1] if "MAN" in words else None
            found[words[0]] = os.path.join(os.path.dirname(path), page) if page else None
    return found


class PapersTest(unittest.TestCase):
    def test_the_manual_page_has_every_setting_with_its_default_and_no_other(self):
        self.assertEqual(page_settings(), rows())

    def test_the_manual_page_names_the_environment_of_every_setting(self):
        page = read("docs/newsmill.conf.5")
        for key in rows():
            self.assertRegex(page, rf"(?m)^\.Ev NEWSMILL_{key.upper().replace('.', '_')}\b", key)

    def test_the_sample_has_every_setting_with_its_default_and_no_other(self):
        self.assertEqual(sample_settings(), rows())

    def test_the_sample_with_all_settings_in_force_changes_nothing(self):
        if not os.path.exists(f"{BIN}/newsmill"):
            self.skipTest("there is no compiled tool in NEWSMILL_BIN")
        text = re.sub(r"(?m)^#(?=[a-z]+$|    [a-z_]+ = )", "", read("deploy/newsmill.conf"))
        with tempfile.TemporaryDirectory(prefix="newsmill-test-") as folder:
            env = {"PATH": os.environ["PATH"], "HOME": folder}
            with open(f"{folder}/all.conf", "w", encoding="utf-8") as file:
                file.write(text)
            shown = [subprocess.run([f"{BIN}/newsmill", *options, "config", "show"], cwd=folder, env=env,
                                    capture_output=True, text=True, timeout=20) for options in ([], ["-c", "all.conf"])]
        self.assertEqual(shown[0].returncode, 0, shown[0].stderr)
        self.assertEqual(shown[1].returncode, 0, shown[1].stderr)
        self.assertEqual(shown[1].stdout, shown[0].stdout)

    def test_every_installed_program_has_a_manual_page_of_its_name(self):
        found = programs()
        self.assertIn("newsmill-broker", found)
        for program, page in found.items():
            with self.subTest(program):
                self.assertIsNotNone(page, "no MAN in nm_program")
                self.assertRegex(os.path.basename(page), rf"^{program}\.[18]$")
                self.assertRegex(read(page), rf"(?m)^\.Nm {program}$")

    def test_manual_pages_pass_lint(self):
        if not shutil.which("mandoc"):
            self.skipTest("mandoc is not installed")
        pages = sorted(path for path in product_files() if re.search(r"/newsmill[a-z.-]*\.[1-8]$", path))
        self.assertGreaterEqual(len(pages), len(programs()) + 1)
        for page in pages:
            with self.subTest(page):
                lint = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", os.path.join(SOURCE, page)],
                                      capture_output=True, text=True, timeout=20)
                self.assertEqual(lint.stdout + lint.stderr, "")

    def test_references_between_manual_pages_lead_somewhere(self):
        paths = list(product_files())
        names = {os.path.basename(path) for path in paths}
        for page in (path for path in paths if re.search(r"\.[1-8]$", path)):
            for name, section in re.findall(r"(?m)^\.Xr (\S+) (\d)", read(page)):
                self.assertIn(f"{name}.{section}", names, page)

    def test_links_lead_somewhere(self):
        papers = [path for path in product_files() if path.endswith(".md")]
        self.assertIn("README.md", papers)
        self.assertIn("docs/ARCHITECTURE.md", papers)
        for paper in papers:
            for link in re.findall(r"\]\(([^)\s]+)\)", read(paper)):
                if re.match(r"[a-z]+:|#", link):
                    continue
                target = os.path.join(SOURCE, os.path.dirname(paper), link.split("#")[0])
                self.assertTrue(os.path.exists(target), f"{paper}: {link}")

    def test_files_named_in_the_tour_exist(self):
        tour = read("docs/ARCHITECTURE.md").split("## A tour of the files")[1].split("## Glossary")[0]
        named = re.findall(r"`((?:[a-z]+/)+[a-z_.]*)`", tour)
        self.assertGreater(len(named), 20)
        for path in named:
            self.assertTrue(os.path.exists(os.path.join(SOURCE, path)), path)

    def test_no_file_names_a_place_of_the_machine_it_was_written_on(self):
        machine = re.compile(rb"(?<![\w.$})/-])/" + rb"work/[a-z]")
        for path in product_files():
            with open(os.path.join(SOURCE, path), "rb") as file:
                for number, line in enumerate(file, 1):
                    self.assertIsNone(machine.search(line), f"{path}:{number}: {line[:120]!r}")


if __name__ == "__main__":
    unittest.main(verbosity=2)
