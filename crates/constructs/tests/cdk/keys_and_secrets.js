// The stacks of `keys_and_secrets.rs`, made with the AWS CDK; `app.js` says how templates are made again.
const cdk = require('aws-cdk-lib');
const ecs = require('aws-cdk-lib/aws-ecs');
const iam = require('aws-cdk-lib/aws-iam');
const kms = require('aws-cdk-lib/aws-kms');
const logs = require('aws-cdk-lib/aws-logs');
const secretsmanager = require('aws-cdk-lib/aws-secretsmanager');
const { Stack, Duration, RemovalPolicy } = cdk;

const app = new cdk.App();
const env = { account: '123456789012', region: 'eu-west-1' };
const ecsTasks = new iam.ServicePrincipal('ecs-tasks.amazonaws.com');

function keys() {
  const stack = new Stack(app, 'Keys');
  const role = new iam.Role(stack, 'Role', { assumedBy: ecsTasks });
  const plain = new kms.Key(stack, 'Plain');
  const full = new kms.Key(stack, 'Full', {
    alias: 'alias/jobs', description: 'jobs', rotationPeriod: Duration.days(180), enabled: false, pendingWindow: Duration.days(7),
    multiRegion: true, removalPolicy: RemovalPolicy.DESTROY,
  });
  full.addAlias('again');
  const statement = (actions, service) => new iam.PolicyStatement({ actions, resources: ['*'], principals: [new iam.ServicePrincipal(service)] });
  new kms.Key(stack, 'Closed', { enableKeyRotation: false, policy: new iam.PolicyDocument({ statements: [statement(['kms:*'], 'sns.amazonaws.com')] }) });
  plain.addToResourcePolicy(statement(['kms:Decrypt'], 'sqs.amazonaws.com'));
  const known = kms.Key.fromKeyArn(stack, 'Known', 'arn:aws:kms:eu-west-1:123456789012:key/12345678-1234-1234-1234-123456789012');
  known.addToResourcePolicy(statement(['kms:Decrypt'], 'sqs.amazonaws.com'));
  plain.grantDecrypt(role);
  full.grantEncrypt(role);
  known.grantEncryptDecrypt(role);
  full.grant(role, 'kms:DescribeKey');
  new kms.Alias(stack, 'Other', { aliasName: 'other', targetKey: known, removalPolicy: RemovalPolicy.RETAIN });
  new logs.LogGroup(stack, 'Log', { encryptionKey: plain });
  new logs.LogGroup(stack, 'NamedLog', { encryptionKey: plain, logGroupName: '/jobs/named' });
  new logs.LogGroup(stack, 'KnownKeyLog', { encryptionKey: known });
  new cdk.CfnOutput(stack, 'Ids', { value: [plain.keyId, plain.keyArn, known.keyId, known.keyArn].join() });
}

function secrets(id, props) {
  const stack = new Stack(app, id, props);
  const role = new iam.Role(stack, 'Role', { assumedBy: ecsTasks });
  const key = new kms.Key(stack, 'Key');
  const plain = new secretsmanager.Secret(stack, 'Plain');
  const full = new secretsmanager.Secret(stack, 'Full', {
    secretName: 'jobs/api', description: 'credentials', encryptionKey: key, removalPolicy: RemovalPolicy.RETAIN,
    generateSecretString: {
      excludeCharacters: '"', excludeLowercase: false, excludeNumbers: true, excludePunctuation: true, excludeUppercase: false, includeSpace: false,
      passwordLength: 40, requireEachIncludedType: false, secretStringTemplate: '{"user":"job"}', generateStringKey: 'password',
    },
  });
  const { Secret } = secretsmanager;
  const complete = Secret.fromSecretCompleteArn(stack, 'Complete', 'arn:aws:secretsmanager:eu-west-1:123456789012:secret:app/creds-AbCdEf');
  const partial = Secret.fromSecretPartialArn(stack, 'Partial', 'arn:aws:secretsmanager:eu-west-1:123456789012:secret:app/other');
  const named = Secret.fromSecretNameV2(stack, 'Named', 'app/named');
  const encrypted = Secret.fromSecretAttributes(stack, 'Encrypted', { secretCompleteArn: 'arn:aws:secretsmanager:eu-west-1:123456789012:secret:app/locked-GhIjKl', encryptionKey: key });
  const task = new ecs.FargateTaskDefinition(stack, 'Task');
  task.addContainer('app', {
    image: ecs.ContainerImage.fromRegistry('busybox:1.37'),
    secrets: {
      WHOLE: ecs.Secret.fromSecretsManager(plain),
      FIELD: ecs.Secret.fromSecretsManager(full, 'password'),
      NAMED: ecs.Secret.fromSecretsManager(named, 'apiKey'),
      PARTIAL: ecs.Secret.fromSecretsManager(partial),
      STAGE: ecs.Secret.fromSecretsManagerVersion(complete, { versionStage: 'AWSPREVIOUS' }, 'apiKey'),
      VERSION: ecs.Secret.fromSecretsManagerVersion(complete, { versionId: '0123' }),
      LOCKED: ecs.Secret.fromSecretsManager(encrypted, 'pin'),
    },
  });
  for (const secret of [plain, full, complete, partial, named, encrypted]) secret.grantRead(role);
  full.grantWrite(role);
  plain.grantWrite(role);
  new cdk.CfnOutput(stack, 'NamedArn', { value: named.secretArn });
}

keys();
secrets('Secrets');
secrets('FixedSecrets', { env });
app.synth();
