export PYTHONPATH=$PREPARED/site HOME=$PWD OMP_NUM_THREADS=2 PYTHONDONTWRITEBYTECODE=1
cat > use.py <<'END'
import torch
torch.manual_seed(1); torch.set_num_threads(2)
model = torch.nn.Sequential(torch.nn.Conv2d(1, 4, 3), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(4 * 14 * 14, 10)).eval()
with torch.inference_mode():
    out = model(torch.linspace(0, 1, 8 * 256).reshape(8, 1, 16, 16)); print(tuple(out.shape), round(float(out.softmax(1).sum()), 4), round(float(out.abs().sum()), 3))
x = torch.linspace(-1, 1, 200).unsqueeze(1); y = 3 * x + 1; layer = torch.nn.Linear(1, 1); step = torch.optim.SGD(layer.parameters(), lr=0.5)
for _ in range(100):
    step.zero_grad(); loss = ((layer(x) - y) ** 2).mean(); loss.backward(); step.step()
print(round(layer.weight.item(), 3), round(layer.bias.item(), 3))
torch.save(model.state_dict(), "model.pt"); model.load_state_dict(torch.load("model.pt")); print("loaded")
class Squares(torch.utils.data.Dataset):
    def __len__(self): return 64
    def __getitem__(self, i): return torch.tensor(i * i)
if __name__ == "__main__":
    print(sum(int(b.sum()) for b in torch.utils.data.DataLoader(Squares(), batch_size=8, num_workers=2)))
END
/usr/bin/python3 -W ignore use.py
