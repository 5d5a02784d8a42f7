# The alarms of python/create.py.

variable "account" {
  type    = string
  default = "000000000000"
}

locals {
  service  = "checkout"
  runbooks = "https://runbooks.example.com"
  pages    = ["arn:aws:sns:us-east-1:${var.account}:pager", "arn:aws:sns:us-east-1:${var.account}:chat"]
}

resource "aws_sns_topic" "ops" {
  name = "ops"
}

resource "aws_cloudwatch_metric_alarm" "cpu" {
  alarm_name          = "high-cpu"
  alarm_description   = "The web server is busy"
  namespace           = "AWS/EC2"
  metric_name         = "CPUUtilization"
  dimensions          = { InstanceId = "i-0123456789abcdef0" }
  statistic           = "Average"
  period              = 300
  evaluation_periods  = 3
  threshold           = 80
  comparison_operator = "GreaterThanThreshold"
  alarm_actions       = [aws_sns_topic.ops.arn]
  ok_actions          = [aws_sns_topic.ops.arn]

  tags = {
    severity = "warning"
    runbook  = "${local.runbooks}/high-cpu"
  }
}

resource "aws_cloudwatch_metric_alarm" "errors" {
  alarm_name          = format("%s-error-rate", local.service)
  alarm_description   = "More than 5% of checkouts fail"
  comparison_operator = "GreaterThanThreshold"
  evaluation_periods  = 2
  threshold           = 5
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.ops.arn]

  metric_query {
    id          = "rate"
    expression  = "100 * errors / requests"
    label       = "error rate"
    return_data = true
  }

  dynamic "metric_query" {
    for_each = { errors = "Errors", requests = "Requests" }
    content {
      id = metric_query.key
      metric {
        namespace   = "Shop"
        metric_name = metric_query.value
        dimensions  = { Service = local.service }
        period      = 60
        stat        = "Sum"
      }
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "throttled" {
  alarm_name          = "orders-throttled"
  namespace           = "AWS/DynamoDB"
  metric_name         = "ReadThrottleEvents"
  dimensions          = { TableName = "orders" }
  statistic           = "Sum"
  period              = 60
  evaluation_periods  = 5
  datapoints_to_alarm = 3
  threshold           = 0
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
}

resource "aws_cloudwatch_composite_alarm" "trouble" {
  alarm_name        = "shop-in-trouble"
  alarm_description = "Customers notice"
  alarm_rule = join(" AND ", [
    "ALARM(${aws_cloudwatch_metric_alarm.errors.alarm_name})",
    "(ALARM(\"${aws_cloudwatch_metric_alarm.cpu.alarm_name}\") OR ALARM(\"${aws_cloudwatch_metric_alarm.throttled.alarm_name}\"))",
  ])
  alarm_actions = local.pages
  ok_actions    = local.pages

  tags = {
    severity = "critical"
    runbook  = "${local.runbooks}/shop-in-trouble"
  }
}
