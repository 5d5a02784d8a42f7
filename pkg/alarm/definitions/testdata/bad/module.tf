variable "limit" {
  type = number
  validation {
    condition     = var.limit < 100
    error_message = "The limit must be below 100."
  }
  default = 200
}

variable "needed" {}

locals {
  a = local.b
  b = local.a
}

resource "aws_cloudwatch_metric_alarm" "a" {
  alarm_name          = "a"
  namespace           = var.needed
  metric_name         = var.nobody
  statistic           = nosuchfunction("x")
  period              = aws_instance.web.id
  evaluation_periods  = var.limit
  threshold           = local.a
  comparison_operator = "GreaterThanThreshold"
  tresholds           = 1
  alarm_actions       = [aws_lb.web.arn, data.aws_sns_topic.t.arn, module.m.topic]
  ok_actions          = aws_cloudwatch_metric_alarm.nobody.arn
  region              = "eu-west-1"
  metric_query {
    expression = "1"
    nosuch     = 1
  }
}

resource "aws_cloudwatch_metric_alarm" "many" {
  count      = -1
  alarm_name = "x"
}

resource "aws_cloudwatch_composite_alarm" "c" {
  alarm_name = "c"
}

resource "aws_cloudwatch_log_alarm" "l" {}

resorce "x" "y" {}
