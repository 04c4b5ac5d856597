"$PYTHON" -m pip install -q --target site --only-binary :all: --extra-index-url https://download.pytorch.org/whl/cpu torch numpy
