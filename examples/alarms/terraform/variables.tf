variable "cpu_threshold" {
  type    = number
  default = 90 # terraform.tfvars says 80
}

variable "table" {
  description = "The table of the orders"
  type        = string
}

locals {
  service = "checkout"
  counts  = { errors = "Errors", requests = "Requests" }
}
