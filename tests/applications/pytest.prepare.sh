"$PYTHON" -m pip install -q --target site --only-binary :all: pytest networkx
