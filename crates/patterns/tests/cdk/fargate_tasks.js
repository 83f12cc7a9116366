// The stacks of `fargate_tasks.rs`, made with the AWS CDK: the oracle. `crates/constructs/tests/cdk/app.js` says how templates are made
// again. FargateTasksStack, NetworkStack and SharedClusterTasksStack come with the project's shared oracle, from the same class.
const cdk = require('aws-cdk-lib');
const ec2 = require('aws-cdk-lib/aws-ec2');
const ecr = require('aws-cdk-lib/aws-ecr');
const ecs = require('aws-cdk-lib/aws-ecs');
const { ScheduledFargateTask } = require('aws-cdk-lib/aws-ecs-patterns');
const { Schedule } = require('aws-cdk-lib/aws-events');
const iam = require('aws-cdk-lib/aws-iam');
const kms = require('aws-cdk-lib/aws-kms');
const logs = require('aws-cdk-lib/aws-logs');
const secretsmanager = require('aws-cdk-lib/aws-secretsmanager');
const { Construct } = require('constructs');
const path = require('path');
const { Stack, RemovalPolicy } = cdk;

const app = new cdk.App();

function scheduled() {
  const stack = new Stack(app, 'ScheduledVariations');
  const vpc = new ec2.Vpc(stack, 'Network', { maxAzs: 1 });
  const image = ecs.ContainerImage.fromRegistry('busybox:1.37');
  const schedule = Schedule.rate(cdk.Duration.minutes(5));
  const cluster = new ecs.Cluster(stack, 'Cluster', { vpc });
  const taskDefinition = new ecs.FargateTaskDefinition(stack, 'Definition');
  taskDefinition.addContainer('app', { image });
  new ScheduledFargateTask(stack, 'Small', { vpc, schedule, scheduledFargateTaskImageOptions: { image } });
  new ScheduledFargateTask(stack, 'Alone', { schedule, scheduledFargateTaskImageOptions: { image, memoryLimitMiB: 1024 } });
  new ScheduledFargateTask(stack, 'Given', {
    cluster, schedule: Schedule.cron({ minute: '15', day: 'L' }), enabled: false, ruleName: 'given', desiredTaskCount: 3,
    scheduledFargateTaskDefinitionOptions: { taskDefinition }, propagateTags: ecs.PropagatedTagSource.TASK_DEFINITION, tags: [{ key: 'team', value: 'jobs' }],
  });
  new ScheduledFargateTask(stack, 'Full', {
    cluster, schedule, platformVersion: ecs.FargatePlatformVersion.VERSION1_3, subnetSelection: { subnetType: ec2.SubnetType.PUBLIC },
    securityGroups: [new ec2.SecurityGroup(stack, 'Group', { vpc })],
    scheduledFargateTaskImageOptions: {
      image, containerName: 'work', command: ['true'], environment: { A: 'b' }, cpu: 1024, memoryLimitMiB: 2048, ephemeralStorageGiB: 50,
      secrets: { PIN: ecs.Secret.fromSecretsManager(secretsmanager.Secret.fromSecretNameV2(stack, 'Pin', 'pin')) },
      logDriver: ecs.LogDrivers.awsLogs({ streamPrefix: 'mine', logRetention: logs.RetentionDays.ONE_DAY }),
    },
  });
}

class FargateTasksConstruct extends Construct {
  constructor(scope, id, p) {
    super(scope, id);
    const vpc = p.vpc ?? p.cluster?.vpc ?? new ec2.Vpc(this, 'FargateVpc', { maxAzs: 2 });
    const cluster = p.cluster ?? new ecs.Cluster(this, 'FargateCluster', { vpc });
    const key = p.encryptionKey ?? new kms.Key(this, 'FargateKey', { alias: p.alias, description: p.description, enableKeyRotation: p.rotation, removalPolicy: p.keyRemovalPolicy });
    const logGroup = new logs.LogGroup(this, 'FargateLogGroup', { retention: p.retention, encryptionKey: key, removalPolicy: p.removalPolicy });
    const group = p.securityGroup ?? new ec2.SecurityGroup(this, 'TaskSG', { vpc, description: 'Scheduled task', allowAllOutbound: true });
    const task = new ScheduledFargateTask(this, 'ScheduledFargateTask', {
      cluster, schedule: Schedule.cron(p.schedule), enabled: p.enabled, platformVersion: p.platformVersion, desiredTaskCount: p.count,
      securityGroups: [group], subnetSelection: p.subnets,
      scheduledFargateTaskImageOptions: {
        image: p.image, containerName: p.name, command: p.command, cpu: p.cpu, memoryLimitMiB: p.memory, environment: p.environment,
        secrets: { [p.variable]: ecs.Secret.fromSecretsManager(p.secret(this), p.field) },
        logDriver: ecs.LogDrivers.awsLogs({ streamPrefix: p.prefix, logGroup }),
      },
    });
    p.secret(this).grantRead(task.taskDefinition.taskRole);
    key.grantDecrypt(task.taskDefinition.taskRole);
    this.role = task.taskDefinition.taskRole;
  }
}

const once = (make) => { let made; return (scope) => (made ??= make(scope)); };
const defaults = {
  schedule: { minute: '0', hour: '*/6' }, retention: logs.RetentionDays.ONE_WEEK, removalPolicy: RemovalPolicy.DESTROY, rotation: true,
  description: 'Key for Fargate tasks', platformVersion: ecs.FargatePlatformVersion.LATEST, name: 'MyContainer', variable: 'API_KEY', prefix: 'MyTask',
};

function tasks() {
  const stack = new Stack(app, 'FargateTasksVariations');
  const vpc = new ec2.Vpc(stack, 'Network', { maxAzs: 1, subnetConfiguration: [{ name: 'Open', subnetType: ec2.SubnetType.PUBLIC }] });
  const cluster = new ecs.Cluster(stack, 'Cluster', { vpc });
  const key = new kms.Key(stack, 'Key');
  const whole = new secretsmanager.Secret(stack, 'Whole', { encryptionKey: new kms.Key(stack, 'SecretKey') });
  // Everything away from its default, the parts described.
  new FargateTasksConstruct(stack, 'Made', {
    vpc, alias: 'alias/made', description: 'made', rotation: false, keyRemovalPolicy: RemovalPolicy.DESTROY,
    retention: logs.RetentionDays.THREE_MONTHS, removalPolicy: RemovalPolicy.RETAIN, prefix: 'made',
    secret: once((scope) => secretsmanager.Secret.fromSecretNameV2(scope, 'MySecret', 'app/made')), field: 'token', variable: 'TOKEN',
    schedule: { minute: '5', hour: '1-3', weekDay: 'MON-FRI', month: '1', year: '2027' }, enabled: false,
    platformVersion: ecs.FargatePlatformVersion.VERSION1_4, count: 2, subnets: { subnetGroupName: 'Open' },
    image: ecs.ContainerImage.fromEcrRepository(ecr.Repository.fromRepositoryName(stack, 'Repository', 'jobs/made'), '1.4'),
    name: 'made', command: ['made', '--now'], environment: { MADE: 'yes' }, cpu: 1024, memory: 4096,
  });
  // Everything given.
  const given = new FargateTasksConstruct(stack, 'Given', {
    ...defaults, cluster, encryptionKey: key, retention: logs.RetentionDays.INFINITE, subnets: { subnetType: ec2.SubnetType.PUBLIC },
    secret: () => whole, securityGroup: new ec2.SecurityGroup(stack, 'Group', { vpc, allowAllOutbound: false }),
    schedule: { minute: '0', day: '1' }, image: ecs.ContainerImage.fromAsset(path.join(__dirname, 'image')),
  });
  given.role.addToPrincipalPolicy(new iam.PolicyStatement({ actions: ['s3:PutObject'], resources: ['arn:aws:s3:::reports/*'] }));
  // Little given.
  new FargateTasksConstruct(stack, 'Little', {
    ...defaults, cluster, vpc, encryptionKey: kms.Key.fromKeyArn(stack, 'Known', 'arn:aws:kms:eu-west-1:123456789012:key/0123'),
    subnets: { subnetType: ec2.SubnetType.PUBLIC }, secret: once((scope) => secretsmanager.Secret.fromSecretCompleteArn(scope, 'MySecret', 'arn:aws:secretsmanager:eu-west-1:123456789012:secret:little-AbCdEf')),
    image: ecs.ContainerImage.fromRegistry('corp/report:1.0'), schedule: { minute: '30' },
  });
}
scheduled();
tasks();
app.synth();
