"""The guide's site has the pages outside docs/ too, and links work there as they do on GitHub."""

import posixpath
import re
from glob import glob

from mkdocs.structure.files import File

PAGES = ["*.md", "clients/*/README.md", "examples/*/README.md"]
PICTURES = ["examples/*/pictures/*"]
BLOCK = re.compile(r"(^ *```.*?^ *```)", re.DOTALL | re.MULTILINE)
TARGET = re.compile(r"\]\((?![a-z]+:|#)([^)#\s]+)(#[^)\s]*)?\)")
NO_LINK = re.compile(r"\[((?:[^\[\]]|\[[^\[\]]*\])*)\]\0")


def on_config(config):
    """List each command below the list of commands, and the pages outside docs/ in the last part unless they are in another."""
    parts = {title: entries for part in config.nav if isinstance(part, dict) for title, entries in part.items()}
    commands = next(entry["Commands"] for entry in parts["Reference"] if "Commands" in entry)
    pages = (path.removeprefix("docs/") for path in sorted(glob("docs/commands/*.*.md")))
    commands += [{posixpath.basename(page).removesuffix(".md").upper(): page} for page in pages]
    listed = [entry for entries in parts.values() for entry in entries]
    outside = (in_site(path) for pattern in PAGES for path in sorted(glob(pattern)))
    parts["The repository"] += [page for page in outside if page not in listed]
    return config


def on_files(files, config):
    for pattern in PAGES + PICTURES:
        for path in sorted(glob(pattern)):
            files.append(File.generated(config, in_site(path), abs_src_path=posixpath.abspath(path)))
    return files


def on_page_content(html, **_):
    return html.replace("<thead>\n<tr>\n<th></th>\n<th></th>\n</tr>\n</thead>\n", "")


def on_page_markdown(markdown, page, config, files):
    here = page.file.src_uri
    folder = posixpath.dirname(in_repository(here))

    def in_the_site(link):
        path, anchor = posixpath.normpath(posixpath.join(folder, link[1])), link[2] or ""
        for target in in_site(path), in_site(f"{path}/README.md"):
            if files.get_file_from_path(target):
                return f"]({posixpath.relpath(target, posixpath.dirname(here))}{anchor})"
        if not posixpath.exists(path):
            return link[0]  # of which mkdocs then complains
        return f"]({config.repo_url}/blob/main/{path})" if config.repo_url else "]\0"

    pieces = BLOCK.split(markdown)
    pieces[::2] = [NO_LINK.sub(r"\1", TARGET.sub(in_the_site, piece)) for piece in pieces[::2]]
    return "".join(pieces)


def in_site(path):
    """Where a file of the repository is in the site: docs/ is its root, and what is beside docs/ is in a folder."""
    return path.removeprefix("docs/") if path.startswith("docs/") else f"repository/{path}"


def in_repository(path):
    return path.removeprefix("repository/") if path.startswith("repository/") else f"docs/{path}"
