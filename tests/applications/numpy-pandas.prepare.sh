"$PYTHON" -m pip download -q -d wheels numpy pandas
