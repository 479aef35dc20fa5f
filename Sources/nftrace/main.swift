print("nftrace")
