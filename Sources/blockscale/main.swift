print("blockscale")
