//! ELBv2 and EC2, without a server.

use std::net::SocketAddrV4;

use fargate_sim::model::{Config, Millis, World};
use fargate_sim::protocol::{AnyPort, Call, Endpoint, Sockets};

use super::client::xml;

const NOW: Millis = Millis(1_800_000_000_000);

struct NoPort;

impl Sockets for NoPort {
    fn open(&mut self, _: SocketAddrV4) -> Result<(), String> {
        Err("permission denied".into())
    }
}

struct Api(Endpoint);

impl Api {
    fn new() -> Api {
        Api(Endpoint::new(World::new(Config::default())))
    }

    fn call(&mut self, form: &str, sockets: &mut dyn Sockets) -> (u16, String) {
        let call = Call {
            path: "/".into(),
            body: form.as_bytes().to_vec(),
            ..Call::default()
        };
        let response = self.0.handle(NOW, &call, sockets);
        (response.status, String::from_utf8(response.body).unwrap())
    }

    fn ok(&mut self, form: &str) -> String {
        let (status, body) = self.call(&format!("{form}&Version=2015-12-01"), &mut AnyPort);
        assert_eq!(status, 200, "{body}");
        body
    }

    fn refused(&mut self, form: &str) -> String {
        let (status, body) = self.call(&format!("{form}&Version=2015-12-01"), &mut AnyPort);
        assert_eq!(status, 400, "{body}");
        xml(&body, "Code").unwrap().into()
    }

    /// ARNs of a load balancer and a target group, encoded for forms.
    fn both(&mut self) -> (String, String) {
        let balancer = self.ok("Action=CreateLoadBalancer&Name=lb&Subnets.member.1=subnet-1");
        let group = self.ok(
            "Action=CreateTargetGroup&Name=tg&Protocol=HTTP&Port=8080&TargetType=ip&Matcher.HttpCode=200-399\
             &HealthCheckIntervalSeconds=10&HealthCheckPath=%2Fhealthz",
        );
        let arn = |body: &str, name: &str| xml(body, name).unwrap().to_string();
        (arn(&balancer, "LoadBalancerArn"), arn(&group, "TargetGroupArn"))
    }
}

#[test]
fn load_balancers_and_target_groups_are_described_with_each_other() {
    let mut api = Api::new();
    let (balancer, group) = api.both();
    assert!(balancer.starts_with("arn:aws:elasticloadbalancing:us-east-1:000000000000:loadbalancer/app/lb/"));
    let body = api.ok("Action=DescribeTargetGroups&Names.member.1=tg");
    assert_eq!(xml(&body, "LoadBalancerArns"), Some(""));
    assert_eq!(
        api.refused(&format!(
            "Action=DescribeTargetGroups&LoadBalancerArn={balancer}x"
        )),
        "LoadBalancerNotFound"
    );

    let listener = format!(
        "Action=CreateListener&LoadBalancerArn={balancer}&Protocol=HTTP&Port=8081\
         &DefaultActions.member.1.Type=forward&DefaultActions.member.1.TargetGroupArn={group}"
    );
    let body = api.ok(&listener);
    assert_eq!(xml(&body, "Port"), Some("8081"));
    assert_eq!(api.refused(&listener), "DuplicateListener");
    let body = api.ok(&format!("Action=DescribeTargetGroups&LoadBalancerArn={balancer}"));
    assert_eq!(
        xml(&body, "LoadBalancerArns"),
        Some(format!("<member>{balancer}</member>").as_str())
    );
    assert_eq!(xml(&body, "HttpCode"), Some("200-399"));
    let body = api.ok("Action=DescribeLoadBalancers&Names.member.1=lb");
    assert_eq!(xml(&body, "DNSName"), Some("127.79.0.2"));
    assert_eq!(xml(&body, "CreatedTime"), Some("2027-01-15T08:00:00.000Z"));

    assert_eq!(
        api.refused(&format!("Action=DeleteTargetGroup&TargetGroupArn={group}")),
        "ResourceInUse"
    );
    api.ok(&format!("Action=DeleteLoadBalancer&LoadBalancerArn={balancer}"));
    api.ok(&format!("Action=DeleteTargetGroup&TargetGroupArn={group}"));
    assert_eq!(
        api.refused("Action=DescribeLoadBalancers&Names.member.1=lb"),
        "LoadBalancerNotFound"
    );
}

#[test]
fn a_listener_whose_port_cannot_be_opened_does_not_come_to_be() {
    let mut api = Api::new();
    let (balancer, group) = api.both();
    let form = format!(
        "Action=CreateListener&LoadBalancerArn={balancer}&Protocol=HTTP&Port=80&Version=2015-12-01\
         &DefaultActions.member.1.Type=forward&DefaultActions.member.1.TargetGroupArn={group}"
    );
    let (status, body) = api.call(&form, &mut NoPort);
    assert_eq!((status, xml(&body, "Code")), (400, Some("ValidationError")));
    assert!(xml(&body, "Message").unwrap().contains("127.79.0.2:80"));
    assert!(
        !api.ok(&format!("Action=DescribeListeners&LoadBalancerArn={balancer}"))
            .contains("ListenerArn")
    );
}

#[test]
fn targets_are_described_in_aws_s_words() {
    let mut api = Api::new();
    let (_, group) = api.both();
    let target = format!("TargetGroupArn={group}&Targets.member.1.Id=127.77.0.9");
    api.ok(&format!("Action=RegisterTargets&{target}"));
    let body = api.ok(&format!("Action=DescribeTargetHealth&TargetGroupArn={group}"));
    assert_eq!(
        (xml(&body, "Id"), xml(&body, "Port")),
        (Some("127.77.0.9"), Some("8080"))
    );
    assert_eq!(
        (xml(&body, "State"), xml(&body, "Reason")),
        (Some("unused"), Some("Target.NotInUse"))
    );
    let other = format!("Action=DescribeTargetHealth&TargetGroupArn={group}&Targets.member.1.Id=127.77.0.10");
    assert_eq!(xml(&api.ok(&other), "Reason"), Some("Target.NotRegistered"));
    api.ok(&format!("Action=DeregisterTargets&{target}"));
    assert!(
        !api.ok(&format!("Action=DescribeTargetHealth&TargetGroupArn={group}"))
            .contains("<Target>")
    );
    assert_eq!(
        api.refused("Action=DescribeTargetHealth&TargetGroupArn=x"),
        "TargetGroupNotFound"
    );
    assert_eq!(
        api.refused(&format!(
            "Action=RegisterTargets&TargetGroupArn={group}&Targets.member.1.Id=i-1"
        )),
        "InvalidTarget"
    );
}

#[test]
fn attributes_and_tags_are_kept() {
    let mut api = Api::new();
    let (balancer, group) = api.both();
    let attribute = "Attributes.member.1.Key=deregistration_delay.timeout_seconds&Attributes.member.1.Value";
    api.ok(&format!(
        "Action=ModifyTargetGroupAttributes&TargetGroupArn={group}&{attribute}=7"
    ));
    let body = api.ok(&format!(
        "Action=DescribeTargetGroupAttributes&TargetGroupArn={group}"
    ));
    assert!(body.contains("<Key>deregistration_delay.timeout_seconds</Key><Value>7</Value>"));
    let refused = api.refused(&format!(
        "Action=ModifyTargetGroupAttributes&TargetGroupArn={group}&{attribute}=x"
    ));
    assert_eq!(refused, "InvalidConfigurationRequest");
    for arn in [&balancer, &group] {
        api.ok(&format!(
            "Action=AddTags&ResourceArns.member.1={arn}&Tags.member.1.Key=a&Tags.member.1.Value=%3C1%3E"
        ));
        let body = api.ok(&format!("Action=DescribeTags&ResourceArns.member.1={arn}"));
        assert_eq!(xml(&body, "Value"), Some("&lt;1&gt;"));
    }
}

#[test]
fn ec2_errors_have_ec2_s_shape() {
    let mut api = Api::new();
    let form = "Action=DescribeNetworkInterfaces&Version=2016-11-15&NetworkInterfaceId.1=eni-1";
    let (status, body) = api.call(form, &mut AnyPort);
    assert_eq!(status, 400);
    assert!(
        body.contains("<Response><Errors><Error><Code>InvalidNetworkInterfaceID.NotFound</Code>"),
        "{body}"
    );
    let (status, body) = api.call(
        "Action=DescribeNetworkInterfaces&Version=2016-11-15",
        &mut AnyPort,
    );
    assert_eq!((status, xml(&body, "networkInterfaceSet")), (200, Some("")));
    assert_eq!(api.refused("Action=CreateTrustStore"), "InvalidAction");
}
