"""config.toml and the OPML files it names are watched together."""

from __future__ import annotations

from pathlib import Path

from monitor.pipeline.config_files import ConfigFiles


def test_an_edit_of_either_is_seen(tmp_path: Path) -> None:
    path, listed = tmp_path / "config.toml", tmp_path / "feeds.opml"
    path.write_text("")
    files = ConfigFiles(str(path))
    seen = [files.stamps()]
    path.write_text('[monitor]\nfeeds_from = ["feeds.opml"]\n')
    seen.append(files.stamps())
    listed.write_text("<opml/>")
    seen.append(files.stamps())
    assert files.stamps() == seen[-1]
    assert set(seen[-1]) == {"config.toml", str(listed)}
    listed.write_text("<opml>")
    seen.append(files.stamps())
    assert all(seen[n] != seen[n + 1] for n in range(3))
    listed.unlink()
    assert files.stamps() == seen[1]
