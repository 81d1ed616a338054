"""Write: files that appear whole or not at all, and records that go on as they came. One file a format."""
