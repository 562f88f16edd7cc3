"""An open project: session, store and engine wired together; its options, paths and backups."""
