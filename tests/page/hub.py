"""hub.py REPOSITORY FOLDER [BYTES_A_SECOND]: a hub on a loopback address that has one repository, made of a folder's files
(tests/hub/hub_server.py). Prints its address, and stays until its input ends."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / 'hub'))
from hub_server import Hub  # noqa: E402

repository, folder, rate = sys.argv[1], pathlib.Path(sys.argv[2]), [int(text) for text in sys.argv[3:]]
hub = Hub()
hub.add(repository, {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file() and not path.name.startswith('golden')})
if rate:
    hub.fault('model.safetensors', 'slow', times=None, rate=rate[0])
print(hub.url, flush=True)
sys.stdin.read()
hub.close()
