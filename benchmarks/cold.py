"""Print the balance in a new process; the rival, the address and the token are given. Imports nothing of its own."""

import sys

sys.path.insert(0, f"{sys.path[0]}/rivals")

client = __import__(sys.argv[1]).Rival(*sys.argv[2:])
print(client.balance())
client.close()
with open("/proc/self/status") as status:
    print(*(line for line in status if line.startswith("VmHWM")))
