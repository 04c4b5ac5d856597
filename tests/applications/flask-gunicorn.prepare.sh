"$PYTHON" -m pip install -q --target site --only-binary :all: flask gunicorn sqlalchemy
