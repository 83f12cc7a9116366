// Seed 4 as an ordinary CDK app: nothing in it knows of Neargate.
const cdk = require('aws-cdk-lib');
const ec2 = require('aws-cdk-lib/aws-ec2');
const ecs = require('aws-cdk-lib/aws-ecs');
const iam = require('aws-cdk-lib/aws-iam');
const { Rule, EventField } = require('aws-cdk-lib/aws-events');
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
class MyStack extends Stack {
  constructor(scope, id, { overrides, useDefaultCluster }) {
    super(scope, id);
    const vpc = new ec2.Vpc(this, 'Vpc', { maxAzs: 2 });
    const cluster = useDefaultCluster ? undefined : new ecs.Cluster(this, 'Cluster', { vpc });
    const containerName = 'management';
    const securityGroups = [new ec2.SecurityGroup(this, 'TaskSG', { vpc })];
    const imageOptions = {
      image: ecs.ContainerImage.fromRegistry('corp/my-proj:1.0'),
      environment: { DJANGO_SETTINGS_MODULE: 'proj.settings' },
      taskRole: new iam.Role(this, 'TaskRole', { assumedBy: new iam.ServicePrincipal('ecs-tasks.amazonaws.com') }),
    };
    new TriggeredFargateTask(this, 'my-proj ManagementTask', {
      cluster, vpc, taskRole: imageOptions.taskRole, containerName, securityGroups,
      triggeredFargateTaskImageOptions: { ...imageOptions, cpu: 2048, memoryLimitMiB: 4096, command: ['sh', '-c', overrides ? 'python manage.py $MANAGEMENT_COMMAND' : 'python manage.py migrate'] },
      rule: new Rule(this, 'my-proj Management Trigger', {
        eventPattern: { detail: { subject: ['execute'] }, detailType: ['Management'], source: ['com.corp.env.my-proj.manage'] },
      }),
      containerOverrides: overrides ? [{ containerName, environment: [{ name: 'MANAGEMENT_COMMAND', value: EventField.fromPath('$.detail.command') }] }] : undefined,
    });
  }
}
const app = new cdk.App();
new MyStack(app, 'TriggeredDynamic', { overrides: true });
new MyStack(app, 'TriggeredStatic', { overrides: false, useDefaultCluster: true });
app.synth();
