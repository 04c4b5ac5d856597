"$PYTHON" -m pip install -q --target site --only-binary :all: ipykernel jupyter_client
