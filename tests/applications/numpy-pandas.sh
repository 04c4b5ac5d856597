export HOME=$PWD
/usr/bin/python3 -m venv --without-pip env
PYTHONPATH=$(ls -d /usr/share/python-wheels/pip-*.whl 2>/dev/null | tail -1 || true); export PYTHONPATH
[ -n "$PYTHONPATH" ] || PYTHONPATH=/usr/lib/python3/dist-packages
env/bin/python -m pip install -q --disable-pip-version-check --no-cache-dir --no-index --find-links "$PREPARED/wheels" numpy pandas 2> pip.log || { cat pip.log >&2; exit 1; }
unset PYTHONPATH
cat > use.py <<'END'
import io, numpy as np, pandas as pd
a = np.random.default_rng(7).random((300, 300))
print(round(float(np.linalg.det(a @ np.linalg.inv(a))), 6), a.sum().round(6), np.fft.ifft(np.fft.fft(a)).real.sum().round(6))
m = np.memmap("map", dtype="int64", mode="w+", shape=(1000,)); m[:] = np.arange(1000); m.flush(); print(np.fromfile("map", dtype="int64").sum())
np.savez_compressed("z.npz", a=a); print(np.array_equal(np.load("z.npz")["a"], a))
frame = pd.DataFrame({"k": np.arange(10000) % 7, "v": np.arange(10000)}); print(frame.groupby("k")["v"].agg(["sum", "mean"]).to_csv())
frame.to_csv("f.csv", index=False); print(pd.read_csv("f.csv").equals(frame)); frame.to_pickle("f.pkl"); print(len(pd.read_pickle("f.pkl")))
print(pd.date_range("2024-01-31", periods=4, freq="D").strftime("%a").tolist(), pd.Timestamp("2024-03-10", tz="UTC").tz_convert("Europe/Berlin"))
END
env/bin/python use.py
