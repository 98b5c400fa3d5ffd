"""golden/laws-tables.py gives the data files that the laws are held against."""

import subprocess

from harness import GOLDEN, ROOT, case, expect, expect_equal, folder


@case()
def the_tables_give_the_files_as_they_are():
    with folder() as place:
        subprocess.run([ROOT / "tools/golden/laws-tables.py", place], check=True)
        written = sorted(path.name for path in place.iterdir())
        expect_equal(len(written), 8, "files")
        for name in written:
            expect((place / name).read_bytes() == (GOLDEN / "laws" / name).read_bytes(),
                   f"{name} differs from golden/laws")
