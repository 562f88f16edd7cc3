"""Whether a file lies on a network disk: there SQLite's write-ahead log is not safe, and locks may not hold."""

from __future__ import annotations

import os
from pathlib import Path

MOUNTS = Path("/proc/mounts")
NETWORK = frozenset(
    (
        *("nfs", "nfs4", "cifs", "smb", "smb2", "smb3", "smbfs", "afs", "ncpfs", "9p", "davfs"),
        *("ceph", "glusterfs", "lustre", "gpfs", "beegfs", "pvfs2", "orangefs", "gfs2", "ocfs2"),
        *("fuse.sshfs", "fuse.davfs", "fuse.davfs2", "fuse.rclone", "fuse.s3fs", "fuse.smbnetfs", "fuse.curlftpfs"),
        *("fuse.glusterfs", "fuse.ceph"),
    )
)


def is_on_network(path: Path) -> bool:
    """Whether the kernel says that `path` lies on a disk of another machine; False where it says nothing."""
    return kind_of_disk(path) in NETWORK


def kind_of_disk(path: Path) -> str:
    """The type of file system that holds `path` ("ext4", "nfs4", ...); "" where it is not known."""
    try:
        mounts = MOUNTS.read_bytes()
    except OSError:
        return ""  # no Linux: its local disks are the rule
    place = os.fsencode(path.parent.resolve()) + b"/"
    longest, kind = -1, ""
    for line in mounts.splitlines():
        parts = line.split(b" ")
        if len(parts) < 3:
            continue
        point = parts[1].decode("unicode_escape").encode("latin-1").rstrip(b"/") + b"/"  # spaces are \040 there
        if place.startswith(point) and len(point) >= longest:  # of two at one point the later one lies over the other
            longest, kind = len(point), parts[2].decode("ascii", "replace")
    return kind
