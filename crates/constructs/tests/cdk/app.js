// The stacks that the tests beside this file make with our constructs, made with the AWS CDK: the oracle. To make the templates again:
//   npm i aws-cdk-lib@2.276.0 constructs@10.8.1
//   CDK_VALIDATION=false CDK_CONTEXT_JSON="$FLAGS" CDK_OUTDIR=out node app.js
// where FLAGS is the context of recommended flags that `cdk init` writes into cdk.json; then take `CDKMetadata` and its condition out.
const cdk = require('aws-cdk-lib');
const ec2 = require('aws-cdk-lib/aws-ec2');
const ecr = require('aws-cdk-lib/aws-ecr');
const ecs = require('aws-cdk-lib/aws-ecs');
const efs = require('aws-cdk-lib/aws-efs');
const events = require('aws-cdk-lib/aws-events');
const targets = require('aws-cdk-lib/aws-events-targets');
const iam = require('aws-cdk-lib/aws-iam');
const logs = require('aws-cdk-lib/aws-logs');
const secretsmanager = require('aws-cdk-lib/aws-secretsmanager');
const ssm = require('aws-cdk-lib/aws-ssm');
const sqs = require('aws-cdk-lib/aws-sqs');
const path = require('path');
const { Stack, Tags, Duration } = cdk;

const app = new cdk.App();
const env = { account: '123456789012', region: 'eu-west-1' };
app.node.setContext('availability-zones:account=123456789012:region=eu-west-1', ['eu-west-1a', 'eu-west-1b', 'eu-west-1c']);
const SubnetType = ec2.SubnetType;
const busybox = ecs.ContainerImage.fromRegistry('busybox:1.37');
const ecsTasks = new iam.ServicePrincipal('ecs-tasks.amazonaws.com');

function networks() {
  const stack = new Stack(app, 'Networks');
  new ec2.Vpc(stack, 'OneNat', { maxAzs: 2, natGateways: 1, ipAddresses: ec2.IpAddresses.cidr('172.31.0.0/20') });
  new ec2.Vpc(stack, 'NoNat', { natGateways: 0, vpcName: 'closed', enableDnsHostnames: false, enableDnsSupport: false });
  new ec2.Vpc(stack, 'Groups', {
    availabilityZones: undefined, maxAzs: 1, defaultInstanceTenancy: ec2.DefaultInstanceTenancy.DEDICATED, restrictDefaultSecurityGroup: false,
    natGatewaySubnets: { subnetGroupName: 'Edge' }, reservedAzs: 1,
    subnetConfiguration: [
      { name: 'Edge', subnetType: SubnetType.PUBLIC, cidrMask: 26, mapPublicIpOnLaunch: false },
      { name: 'Data', subnetType: SubnetType.PRIVATE_ISOLATED, cidrMask: 24 },
      { name: 'Later', subnetType: SubnetType.PRIVATE_ISOLATED, cidrMask: 24, reserved: true },
      { name: 'Work', subnetType: SubnetType.PRIVATE_WITH_EGRESS },
    ],
  });
  new ec2.Vpc(stack, 'NoGateway', { maxAzs: 1, createInternetGateway: false, natGateways: 0, subnetConfiguration: [{ name: 'Public', subnetType: SubnetType.PUBLIC }] });
  const fixed = new Stack(app, 'FixedNetwork', { env });
  const vpc = new ec2.Vpc(fixed, 'Vpc', { natGateways: 2 });
  new ec2.Vpc(fixed, 'Named', { availabilityZones: ['eu-west-1c'] });
  const selection = (name, s) => new cdk.CfnOutput(fixed, name, { value: cdk.Fn.join(',', vpc.selectSubnets(s).subnetIds) });
  selection('Usual', {});
  selection('Public', { subnetType: SubnetType.PUBLIC });
  selection('Zone', { availabilityZones: ['eu-west-1b'] });
  selection('Group', { subnetGroupName: 'Private', onePerAz: true });
}

function securityGroups() {
  const stack = new Stack(app, 'SecurityGroups');
  const vpc = ec2.Vpc.fromVpcAttributes(stack, 'Vpc', {
    vpcId: 'vpc-1', availabilityZones: ['eu-west-1a', 'eu-west-1b'], privateSubnetIds: ['subnet-1', 'subnet-2'], privateSubnetRouteTableIds: ['rtb-1', 'rtb-2'],
    publicSubnetIds: ['subnet-3', 'subnet-4'], publicSubnetRouteTableIds: ['rtb-3', 'rtb-4'],
  });
  const open = new ec2.SecurityGroup(stack, 'Open', { vpc, description: 'open', securityGroupName: 'open-group', allowAllIpv6Outbound: true });
  open.addIngressRule(ec2.Peer.anyIpv4(), ec2.Port.tcp(443), 'https');
  open.addIngressRule(ec2.Peer.anyIpv4(), ec2.Port.tcp(443), 'said twice');
  open.addIngressRule(ec2.Peer.ipv4('10.0.0.0/8'), ec2.Port.tcpRange(8000, 8100));
  open.addIngressRule(ec2.Peer.anyIpv6(), ec2.Port.udp(53));
  open.addIngressRule(ec2.Peer.ipv4('10.1.0.0/16'), ec2.Port.icmpPing());
  open.addIngressRule(ec2.Peer.prefixList('pl-1'), ec2.Port.allTcp(), 'a list');
  open.addIngressRule(ec2.Peer.securityGroupId('sg-01234567'), ec2.Port.allTraffic());
  const closed = new ec2.SecurityGroup(stack, 'Closed', { vpc, allowAllOutbound: false });
  const narrow = new ec2.SecurityGroup(stack, 'Narrow', { vpc, allowAllOutbound: false });
  narrow.addEgressRule(ec2.Peer.ipv4('10.0.0.0/16'), ec2.Port.udpRange(1, 2), 'inside');
  narrow.addEgressRule(open, ec2.Port.tcp(443));
  narrow.addIngressRule(closed, ec2.Port.allUdp());
  const apart = new ec2.SecurityGroup(stack, 'Apart', { vpc, disableInlineRules: true });
  apart.addIngressRule(ec2.Peer.ipv4('10.0.0.0/16'), ec2.Port.allIcmp());
  const taken = ec2.SecurityGroup.fromSecurityGroupId(stack, 'Taken', 'sg-11111111', { allowAllOutbound: false });
  taken.addIngressRule(apart, ec2.Port.tcp(5432));
  taken.addEgressRule(ec2.Peer.anyIpv4(), ec2.Port.tcp(443));
  ec2.SecurityGroup.fromSecurityGroupId(stack, 'Fixed', 'sg-22222222', { mutable: false }).addIngressRule(apart, ec2.Port.tcp(1));
  const port = new cdk.CfnParameter(stack, 'Range');
  apart.addIngressRule(ec2.Peer.ipv4(port.valueAsString), ec2.Port.tcp(1));
  apart.addIngressRule(ec2.Peer.ipv4(`${port.valueAsString}/8`), ec2.Port.tcp(1));
}

function roles() {
  const stack = new Stack(app, 'Roles', { env });
  const boundary = iam.ManagedPolicy.fromManagedPolicyArn(stack, 'Boundary', 'arn:aws:iam::123456789012:policy/boundary');
  const role = new iam.Role(stack, 'Full', {
    assumedBy: new iam.CompositePrincipal(
      ecsTasks,
      new iam.ServicePrincipal('lambda.amazonaws.com'),
      new iam.AccountPrincipal('210987654321').withConditions({ Bool: { 'aws:MultiFactorAuthPresent': 'true' } }),
      new iam.FederatedPrincipal('cognito-identity.amazonaws.com', { StringEquals: { aud: 'x' } }, 'sts:AssumeRoleWithWebIdentity'),
    ),
    description: 'everything', maxSessionDuration: Duration.hours(2), path: '/jobs/', roleName: 'full', permissionsBoundary: boundary,
    managedPolicies: [iam.ManagedPolicy.fromAwsManagedPolicyName('service-role/AmazonECSTaskExecutionRolePolicy'), boundary, boundary],
    inlinePolicies: { one: new iam.PolicyDocument({ statements: [new iam.PolicyStatement({ actions: ['s3:Get*'], resources: ['*'] })] }) },
  });
  new iam.Role(stack, 'External', { assumedBy: new iam.AccountRootPrincipal(), externalIds: ['a', 'b'] });
  new iam.Role(stack, 'Anyone', { assumedBy: new iam.AnyPrincipal(), externalIds: ['a'] });
  new iam.Role(stack, 'ByArn', { assumedBy: new iam.ArnPrincipal('arn:aws:iam::210987654321:role/x') });
  const add = (props) => role.addToPolicy(new iam.PolicyStatement(props));
  add({ actions: ['sqs:SendMessage'], resources: ['arn:b'] });
  add({ actions: ['sqs:SendMessage'], resources: ['arn:a', 'arn:b'] });
  add({ actions: ['sqs:ReceiveMessage'], resources: ['arn:a', 'arn:b'] });
  add({ actions: ['sqs:ReceiveMessage'], resources: ['arn:a'], conditions: { StringEquals: { 'aws:SourceVpc': 'vpc-1' } } });
  add({ actions: ['sqs:DeleteMessage'], resources: ['arn:a'], conditions: { StringEquals: { 'aws:SourceVpc': 'vpc-1' } } });
  add({ sid: 'Kept', actions: ['sqs:SendMessage'], resources: ['arn:a'] });
  add({ effect: iam.Effect.DENY, notActions: ['sqs:*', 'iam:*'], notResources: ['arn:a'] });
  add({ actions: ['sqs:SendMessage'], resources: ['arn:b'] });
  const taken = iam.Role.fromRoleArn(stack, 'Taken', 'arn:aws:iam::123456789012:role/path/taken');
  taken.addToPrincipalPolicy(new iam.PolicyStatement({ actions: ['s3:ListBucket'], resources: [role.roleArn] }));
  iam.Role.fromRoleArn(stack, 'Foreign', 'arn:aws:iam::210987654321:role/foreign').addToPrincipalPolicy(new iam.PolicyStatement({ actions: ['s3:ListBucket'], resources: ['*'] }));
  iam.Role.fromRoleArn(stack, 'Fixed', 'arn:aws:iam::123456789012:role/fixed', { mutable: false }).addToPrincipalPolicy(new iam.PolicyStatement({ actions: ['s3:ListBucket'], resources: ['*'] }));
  new iam.ManagedPolicy(stack, 'Managed', { roles: [role], managedPolicyName: 'managed', description: 'shared', path: '/p/', statements: [new iam.PolicyStatement({ actions: ['s3:ListBucket'], resources: ['*'] })] });
  const own = new iam.ManagedPolicy(stack, 'Own', { statements: [new iam.PolicyStatement({ actions: ['s3:ListBucket'], resources: ['*'] })] });
  role.addManagedPolicy(own);
  const policy = new iam.Policy(stack, 'Inline', { policyName: 'inline', roles: [role] });
  policy.addStatements(new iam.PolicyStatement({ actions: ['s3:ListBucket'], resources: ['*'] }));
}

function tasks() {
  const stack = new Stack(app, 'Tasks');
  const executionRole = new iam.Role(stack, 'ExecutionRole', { assumedBy: ecsTasks });
  const full = new ecs.FargateTaskDefinition(stack, 'Full', {
    cpu: 1024, memoryLimitMiB: 4096, ephemeralStorageGiB: 50, executionRole, family: 'full', pidMode: ecs.PidMode.TASK, enableFaultInjection: true,
    runtimePlatform: { cpuArchitecture: ecs.CpuArchitecture.ARM64, operatingSystemFamily: ecs.OperatingSystemFamily.LINUX },
    volumes: [{ name: 'scratch' }],
  });
  full.addVolume({ name: 'files', efsVolumeConfiguration: { fileSystemId: 'fs-1', transitEncryption: 'ENABLED', transitEncryptionPort: 2999, authorizationConfig: { accessPointId: 'fsap-1', iam: 'ENABLED' } } });
  full.addVolume({ name: 'root', efsVolumeConfiguration: { fileSystemId: 'fs-2', rootDirectory: '/data' } });
  const linuxParameters = new ecs.LinuxParameters(stack, 'Linux', { initProcessEnabled: true });
  linuxParameters.addCapabilities(ecs.Capability.SYS_PTRACE);
  linuxParameters.dropCapabilities(ecs.Capability.NET_RAW);
  linuxParameters.addTmpfs({ containerPath: '/fast', size: 64, mountOptions: [ecs.TmpfsMountOption.NOEXEC] });
  const group = new logs.LogGroup(stack, 'Group', { retention: logs.RetentionDays.ONE_WEEK, removalPolicy: cdk.RemovalPolicy.DESTROY, logGroupName: '/jobs', logGroupClass: logs.LogGroupClass.INFREQUENT_ACCESS });
  const secret = secretsmanager.Secret.fromSecretCompleteArn(stack, 'Secret', 'arn:aws:secretsmanager:eu-west-1:123456789012:secret:db-AbCdEf');
  const parameter = ssm.StringParameter.fromStringParameterArn(stack, 'Parameter', 'arn:aws:ssm:eu-west-1:123456789012:parameter/url');
  const main = full.addContainer('main', {
    image: ecs.ContainerImage.fromRegistry('private/image:1', { credentials: secretsmanager.Secret.fromSecretCompleteArn(stack, 'Credentials', 'arn:aws:secretsmanager:eu-west-1:123456789012:secret:hub-AbCdEf') }),
    containerName: 'app', command: ['a', 'b c'], entryPoint: ['/init'], cpu: 512, memoryLimitMiB: 1024, memoryReservationMiB: 512,
    environment: { B: '2', A: '1' }, secrets: { WHOLE: ecs.Secret.fromSecretsManager(secret), FIELD: ecs.Secret.fromSecretsManager(secret, 'password'), PARAMETER: ecs.Secret.fromSsmParameter(parameter) },
    healthCheck: { command: ['curl -f http://localhost'], interval: Duration.seconds(10), timeout: Duration.seconds(3), retries: 2, startPeriod: Duration.seconds(60) },
    interactive: true, pseudoTerminal: true, linuxParameters, readonlyRootFilesystem: true, startTimeout: Duration.seconds(60), stopTimeout: Duration.seconds(90),
    ulimits: [{ name: ecs.UlimitName.NOFILE, softLimit: 1024, hardLimit: 4096 }], user: '1000:1000', workingDirectory: '/srv', dockerLabels: { team: 'data' },
    systemControls: [{ namespace: 'net.core.somaxconn', value: '1024' }], versionConsistency: ecs.VersionConsistency.DISABLED,
    enableRestartPolicy: true, restartIgnoredExitCodes: [0, 127], restartAttemptPeriod: Duration.seconds(360),
    portMappings: [{ containerPort: 8080, name: 'web', appProtocol: ecs.AppProtocol.http2 }, { containerPort: 53, protocol: ecs.Protocol.UDP }],
    logging: ecs.LogDrivers.awsLogs({ streamPrefix: 'app', logGroup: group, mode: ecs.AwsLogDriverMode.NON_BLOCKING, maxBufferSize: cdk.Size.mebibytes(5), datetimeFormat: '%Y', multilinePattern: '^x' }),
  });
  const side = full.addContainer('side', { image: busybox, essential: false, logging: new ecs.GenericLogDriver({ logDriver: 'splunk', options: { 'splunk-url': 'https://splunk' } }) });
  main.addContainerDependencies({ container: side, condition: ecs.ContainerDependencyCondition.START });
  main.addMountPoints({ containerPath: '/data', readOnly: true, sourceVolume: 'files' }, { containerPath: '/scratch', readOnly: false, sourceVolume: 'scratch' }, { containerPath: '/root', readOnly: false, sourceVolume: 'root' });
  side.addVolumesFrom({ sourceContainer: 'app', readOnly: true });
  main.addEnvironment('C', stack.region);
  side.addSecret('LATE', ecs.Secret.fromSsmParameter(parameter));

  const least = new ecs.FargateTaskDefinition(stack, 'Least');
  least.addContainer('app', { image: busybox });
  const kept = new ecs.FargateTaskDefinition(stack, 'Kept');
  kept.addContainer('app', { image: busybox, logging: ecs.LogDrivers.awsLogs({ streamPrefix: 'kept', logRetention: logs.RetentionDays.ONE_MONTH }), healthCheck: { command: ['CMD', 'true'] } });
  const built = new ecs.FargateTaskDefinition(stack, 'Built');
  built.addContainer('app', { image: ecs.ContainerImage.fromAsset(path.join(__dirname, 'image')) });
  const pulled = new ecs.FargateTaskDefinition(stack, 'Pulled');
  const repository = ecr.Repository.fromRepositoryName(stack, 'Repository', 'etl/app');
  pulled.addContainer('app', { image: ecs.ContainerImage.fromEcrRepository(repository, '1.4') });
  pulled.addContainer('digest', { image: ecs.ContainerImage.fromEcrRepository(repository, 'sha256:' + 'a'.repeat(64)) });

  const fixed = new Stack(app, 'FixedTasks', { env });
  const imageFixed = new ecs.FargateTaskDefinition(fixed, 'Built');
  imageFixed.addContainer('app', { image: ecs.ContainerImage.fromAsset(path.join(__dirname, 'image')) });
}

function rules() {
  const stack = new Stack(app, 'Rules');
  const vpc = new ec2.Vpc(stack, 'Vpc', { maxAzs: 1 });
  const cluster = new ecs.Cluster(stack, 'Cluster', { vpc, clusterName: 'jobs', containerInsightsV2: ecs.ContainerInsights.ENHANCED });
  const task = new ecs.FargateTaskDefinition(stack, 'Task');
  task.addContainer('app', { image: busybox });
  const schedule = new events.Rule(stack, 'Rate', { schedule: events.Schedule.rate(Duration.hours(2)), enabled: false, description: 'every two hours', ruleName: 'rate' });
  schedule.addTarget(new targets.EcsTask({ cluster, taskDefinition: task }));
  new events.Rule(stack, 'Cron', { schedule: events.Schedule.cron({ minute: '0', hour: '4', weekDay: 'MON-FRI', month: '1-6', year: '2027' }) });
  new events.Rule(stack, 'Literal', { schedule: events.Schedule.expression('rate(1 day)') });
  const role = new iam.Role(stack, 'EventRole', { assumedBy: new iam.ServicePrincipal('events.amazonaws.com') });
  const group = new ec2.SecurityGroup(stack, 'Group', { vpc });
  const queue = sqs.Queue.fromQueueArn(stack, 'Queue', 'arn:aws:sqs:eu-west-1:123456789012:dead');
  const rule = new events.Rule(stack, 'Pattern', {
    eventBus: events.EventBus.fromEventBusName(stack, 'Bus', 'orders'),
    eventPattern: { account: ['123456789012'], detail: { total: [{ numeric: ['>', 100] }] }, detailType: ['Order'], region: ['eu-west-1'], resources: ['arn:x'], source: events.Match.prefix('com.'), id: ['1'], time: ['t'], version: ['0'] },
  });
  rule.addEventPattern({ detail: { total: [0], state: ['paid'] }, account: ['123456789012', '210987654321'] });
  rule.addTarget(new targets.EcsTask({
    cluster, taskDefinition: task, taskCount: 3, role, securityGroups: [group], subnetSelection: { subnetType: SubnetType.PUBLIC }, assignPublicIp: true,
    platformVersion: ecs.FargatePlatformVersion.VERSION1_4, enableExecuteCommand: true, propagateTags: ecs.PropagatedTagSource.TASK_DEFINITION, tags: [{ key: 'a', value: 'b' }],
    deadLetterQueue: queue, maxEventAge: Duration.hours(1), retryAttempts: 3,
    containerOverrides: [{ containerName: 'app', command: ['run', events.EventField.fromPath('$.detail.what'), `at ${events.EventField.time} in ${stack.region}`], environment: [{ name: 'WHO', value: events.EventField.source }], cpu: 128, memoryReservation: 128 }],
    cpu: '512', memory: '1024', ephemeralStorage: { sizeInGiB: 30 },
  }));
  rule.addTarget(new targets.EcsTask({ cluster, taskDefinition: task, subnetSelection: { subnetType: SubnetType.PUBLIC }, assignPublicIp: false }));
  const taken = ecs.Cluster.fromClusterAttributes(stack, 'Taken', { clusterName: 'taken', vpc });
  const takenTask = ecs.FargateTaskDefinition.fromFargateTaskDefinitionAttributes(stack, 'TakenTask', {
    taskDefinitionArn: 'arn:aws:ecs:eu-west-1:123456789012:task-definition/taken', taskRole: iam.Role.fromRoleArn(stack, 'TakenRole', 'arn:aws:iam::123456789012:role/taken'), networkMode: ecs.NetworkMode.AWS_VPC,
  });
  new events.Rule(stack, 'TakenRule', { eventPattern: { source: ['x'] }, targets: [new targets.EcsTask({ cluster: taken, taskDefinition: takenTask, role, securityGroups: [group] })] });
  class Text { constructor(input) { this.input = input; } bind() { return { arn: 'arn:aws:sns:eu-west-1:123456789012:t', input: this.input }; } }
  const texts = new events.Rule(stack, 'Texts', { eventPattern: { source: ['x'] }, role });
  texts.addTarget(new Text(events.RuleTargetInput.fromText(`"${events.EventField.eventId}" of ${stack.account}`)));
  texts.addTarget(new Text(events.RuleTargetInput.fromMultilineText(`a ${events.EventField.account}\nb`)));
  texts.addTarget(new Text(events.RuleTargetInput.fromEventPath('$.detail')));
  texts.addTarget(new Text(events.RuleTargetInput.fromObject({ fixed: [1, true, 'x'], stack: stack.region })));
}

function clusters() {
  const stack = new Stack(app, 'Clusters', { stackName: 'our-clusters', description: 'clusters', tags: { owner: 'us' }, terminationProtection: true });
  const cluster = new ecs.Cluster(stack, 'Own');
  Tags.of(stack).add('Team', 'data');
  Tags.of(cluster).add('Team', 'jobs');
  Tags.of(cluster).add('Only', 'vpc', { includeResourceTypes: ['AWS::EC2::VPC'] });
  Tags.of(cluster).add('Not', 'vpc', { excludeResourceTypes: ['AWS::EC2::VPC', 'AWS::EC2::Subnet'] });
  Tags.of(cluster.vpc).add('Team', 'network', { priority: 50 });
  Tags.of(cluster.vpc.publicSubnets[0]).remove('Name');
  const rule = new events.Rule(stack, 'Rule', { schedule: events.Schedule.rate(Duration.minutes(5)) });
  new logs.LogGroup(stack, 'Log');
  new ssm.CfnParameter(stack, 'Parameter', { type: 'String', value: stack.formatArn({ service: 'logs', resource: 'x' }), tags: { own: 'tag' } });
  const parameter = new cdk.CfnParameter(stack, 'Cpu', { type: 'Number', default: 256, description: 'units', allowedValues: ['256', '512'] });
  const production = new cdk.CfnCondition(stack, 'Production', { expression: cdk.Fn.conditionEquals(stack.region, 'eu-west-1') });
  const task = new ecs.FargateTaskDefinition(stack, 'Task', { cpu: parameter.valueAsNumber });
  task.addContainer('app', { image: busybox });
  task.node.defaultChild.cfnOptions.condition = production;
  task.node.defaultChild.overrideLogicalId('TheTask');
  task.node.addDependency(rule);
  new cdk.CfnOutput(stack, 'TaskArn', { value: task.taskDefinitionArn, description: 'the task', exportName: 'task-arn', condition: production });
}

function acrossStacks() {
  const network = new Stack(app, 'Network', { env });
  const vpc = new ec2.Vpc(network, 'Vpc', { maxAzs: 1 });
  const cluster = new ecs.Cluster(network, 'Cluster', { vpc });
  const jobs = new Stack(app, 'Jobs', { env });
  const task = new ecs.FargateTaskDefinition(jobs, 'Task');
  task.addContainer('app', { image: busybox });
  const rule = new events.Rule(jobs, 'Rule', { schedule: events.Schedule.rate(Duration.minutes(5)) });
  rule.addTarget(new targets.EcsTask({ cluster, taskDefinition: task }));
}

networks();
securityGroups();
roles();
tasks();
rules();
clusters();
acrossStacks();
app.synth();
