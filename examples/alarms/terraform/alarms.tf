resource "aws_sns_topic" "routes" {
  for_each = toset(["critical", "warning"])
  name     = "shop-${each.key}"
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
  threshold           = var.cpu_threshold
  comparison_operator = "GreaterThanThreshold"
  alarm_actions       = [aws_sns_topic.routes["critical"].arn]
  ok_actions          = [aws_sns_topic.routes["critical"].arn]

  tags = { severity = "critical" }
}

resource "aws_cloudwatch_metric_alarm" "error_rate" {
  alarm_name          = format("%s-error-rate", local.service)
  alarm_description   = "More than 5% of checkouts fail"
  evaluation_periods  = 2
  threshold           = 5
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.routes["critical"].arn]

  metric_query {
    id          = "rate"
    expression  = "100 * errors / requests"
    label       = "error rate"
    return_data = true
  }

  dynamic "metric_query" {
    for_each = local.counts
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
  alarm_description   = "DynamoDB refuses reads of the orders"
  namespace           = "AWS/DynamoDB"
  metric_name         = "ReadThrottleEvents"
  dimensions          = { TableName = var.table }
  statistic           = "Sum"
  period              = 60
  evaluation_periods  = 5
  datapoints_to_alarm = 3
  threshold           = 0
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.routes["warning"].arn]
}

resource "aws_cloudwatch_composite_alarm" "trouble" {
  alarm_name        = "shop-in-trouble"
  alarm_description = "Customers notice"
  alarm_rule = format(
    "ALARM(%q) AND (%s)",
    aws_cloudwatch_metric_alarm.error_rate.alarm_name,
    join(" OR ", [for a in [aws_cloudwatch_metric_alarm.cpu, aws_cloudwatch_metric_alarm.throttled] : "ALARM(\"${a.alarm_name}\")"]),
  )
  alarm_actions = [aws_sns_topic.routes["critical"].arn]
}
