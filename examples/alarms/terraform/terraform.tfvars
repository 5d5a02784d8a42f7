cpu_threshold = 80
table         = "shop-orders"
