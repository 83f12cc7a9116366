// The stacks that the tests beside this file make with our patterns, made with the AWS CDK: the oracle.
// `crates/constructs/tests/cdk/app.js` says how templates are made again. TriggeredDynamic and TriggeredStatic come with the project's
// shared oracle, from the same two classes.
const cdk = require('aws-cdk-lib');
const ec2 = require('aws-cdk-lib/aws-ec2');
const ecs = require('aws-cdk-lib/aws-ecs');
const { Rule, Schedule } = require('aws-cdk-lib/aws-events');
const { EcsTask } = require('aws-cdk-lib/aws-events-targets');
const { Construct } = require('constructs');
const { Stack, Tags } = cdk;

class TriggeredTaskBase extends Construct {
  constructor(scope, id, props) {
    super(scope, id);
    this.cluster = props.cluster || this.getDefaultCluster(this, props.vpc);
    if (props.desiredTaskCount !== undefined && props.desiredTaskCount < 1) throw new Error('You must specify a desiredTaskCount greater than 0');
    this.desiredTaskCount = props.desiredTaskCount || 1;
    this.eventRule = props.rule;
    Tags.of(this).add('Module', 'triggered-task');
  }
  addTaskDefinitionToEventTarget({ taskDefinition, securityGroups, containerOverrides }) {
    const target = new EcsTask({ cluster: this.cluster, taskDefinition, taskCount: this.desiredTaskCount, containerOverrides, securityGroups });
    this.eventRule.addTarget(target);
    return target;
  }
  getDefaultCluster(scope, vpc) {
    const id = `EcsDefaultCluster${vpc ? vpc.node.id : ''}`;
    const stack = Stack.of(scope);
    return stack.node.tryFindChild(id) || new ecs.Cluster(stack, id, { vpc });
  }
  createAWSLogDriver(prefix) { return new ecs.AwsLogDriver({ streamPrefix: prefix }); }
}
class TriggeredFargateTask extends TriggeredTaskBase {
  constructor(scope, id, props) {
    super(scope, id, props);
    const d = props.triggeredFargateTaskDefinitionOptions, i = props.triggeredFargateTaskImageOptions;
    if (d && i) throw new Error('You must specify either a triggeredFargateTaskDefinitionOptions or triggeredFargateTaskOptions, not both.');
    else if (d) this.taskDefinition = d.taskDefinition;
    else if (i) {
      this.taskDefinition = new ecs.FargateTaskDefinition(this, 'TriggeredTaskDef', { taskRole: props.taskRole, memoryLimitMiB: i.memoryLimitMiB || 512, cpu: i.cpu || 256 });
      const { logDriver, ...imageOptions } = i;
      this.taskDefinition.addContainer(props.containerName, { ...imageOptions, logging: logDriver !== undefined ? logDriver : this.createAWSLogDriver(this.node.id) });
    } else throw new Error('You must specify one of: taskDefinition or image');
    this.eventTarget = this.addTaskDefinitionToEventTarget({ taskDefinition: this.taskDefinition, securityGroups: props.securityGroups, containerOverrides: props.containerOverrides });
  }
}

const app = new cdk.App();
const stack = new Stack(app, 'TriggeredVariations');
const every = (id) => new Rule(stack, id, { schedule: Schedule.rate(cdk.Duration.minutes(5)) });
const vpc = new ec2.Vpc(stack, 'Network', { maxAzs: 1 });
const image = ecs.ContainerImage.fromRegistry('busybox:1.37');
const definition = new ecs.FargateTaskDefinition(stack, 'Definition');
definition.addContainer('app', { image });
new TriggeredFargateTask(stack, 'Given', { vpc, rule: every('GivenRule'), desiredTaskCount: 3, triggeredFargateTaskDefinitionOptions: { taskDefinition: definition } });
new TriggeredFargateTask(stack, 'Small', { vpc, rule: every('SmallRule'), containerName: 'job', triggeredFargateTaskImageOptions: { image, logDriver: ecs.LogDrivers.awsLogs({ streamPrefix: 'mine' }) } });
new TriggeredFargateTask(stack, 'Alone', { rule: every('AloneRule'), containerName: 'job', triggeredFargateTaskImageOptions: { image, memoryLimitMiB: 1024, user: 'nobody', essential: true } });
const inside = new Construct(stack, 'Inside');
new TriggeredFargateTask(inside, 'Task', { vpc, rule: every('InsideRule'), containerName: 'job', triggeredFargateTaskImageOptions: { image, cpu: 512, memoryLimitMiB: 2048 } });
app.synth();
