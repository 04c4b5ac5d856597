export PYTHONPATH=$PREPARED/site HOME=$PWD PYTHONDONTWRITEBYTECODE=1 IPYTHONDIR=$PWD/ipython JUPYTER_RUNTIME_DIR=$PWD/run PYDEVD_DISABLE_FILE_VALIDATION=1
cat > use.py <<'END'
from jupyter_client.manager import KernelManager
manager = KernelManager(kernel_name="python3"); manager.kernel_spec.argv[0] = "/usr/bin/python3"
manager.start_kernel(); client = manager.client(); client.start_channels(); client.wait_for_ready(timeout=120)
def run(code):
    client.execute(code); text = []
    while True:
        message = client.get_iopub_msg(timeout=120)
        if message["msg_type"] == "stream": text.append(message["content"]["text"])
        elif message["msg_type"] == "execute_result": text.append(message["content"]["data"]["text/plain"])
        elif message["msg_type"] == "error": text.append(message["content"]["ename"])
        elif message["msg_type"] == "status" and message["content"]["execution_state"] == "idle" and text: return "|".join(text)
print(run("6 * 7")); print(run("x = [i * i for i in range(10)]; print(sum(x))")); print(run("1 / 0")); print(run("!echo from a shell").strip())
print(run("import threading; t = threading.Thread(target=lambda: print('thread')); t.start(); t.join()").strip())
client.stop_channels(); manager.shutdown_kernel(now=False); print("alive", manager.is_alive())
END
/usr/bin/python3 -W ignore use.py
