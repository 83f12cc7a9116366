// Custom::VpcRestrictDefaultSG: takes the rules out of a VPC's default security group, and puts them back when it is deleted.
'use strict';

const https = require('https');
const { EC2 } = require('@aws-sdk/client-ec2');

const ec2 = new EC2({});

function rules(group, account) {
  return {
    ingress: { GroupId: group, IpPermissions: [{ IpProtocol: '-1', UserIdGroupPairs: [{ GroupId: group, UserId: account }] }] },
    egress: { GroupId: group, IpPermissions: [{ IpProtocol: '-1', IpRanges: [{ CidrIp: '0.0.0.0/0' }] }] },
  };
}

// Both directions are tried before a failure counts; a rule that already is as it should be is no failure.
async function both(calls, harmless) {
  const results = await Promise.allSettled(calls);
  const failed = results.find((result) => result.status === 'rejected' && result.reason.name !== harmless);
  if (failed) throw failed.reason;
}

function revoke(group, account) {
  const { ingress, egress } = rules(group, account);
  return both([ec2.revokeSecurityGroupIngress(ingress), ec2.revokeSecurityGroupEgress(egress)], 'InvalidPermission.NotFound');
}

function authorize(group, account) {
  const { ingress, egress } = rules(group, account);
  return both([ec2.authorizeSecurityGroupIngress(ingress), ec2.authorizeSecurityGroupEgress(egress)], 'InvalidPermission.Duplicate');
}

async function apply(event) {
  const { DefaultSecurityGroupId: group, Account: account } = event.ResourceProperties;
  if (event.RequestType === 'Delete') return authorize(group, account);
  const before = event.OldResourceProperties && event.OldResourceProperties.DefaultSecurityGroupId;
  if (event.RequestType === 'Update' && before && before !== group) await authorize(before, account);
  return revoke(group, account);
}

function answer(event, status, reason) {
  const body = JSON.stringify({
    Status: status,
    Reason: reason,
    PhysicalResourceId: event.PhysicalResourceId || event.LogicalResourceId,
    StackId: event.StackId,
    RequestId: event.RequestId,
    LogicalResourceId: event.LogicalResourceId,
  });
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': '', 'content-length': Buffer.byteLength(body) };
    const request = https.request(new URL(event.ResponseURL), { method: 'PUT', headers }, (response) => {
      response.resume();
      response.on('end', resolve);
    });
    request.on('error', reject);
    request.end(body);
  });
}

exports.handler = async (event) => {
  try {
    await apply(event);
  } catch (error) {
    return answer(event, 'FAILED', `${error.name}: ${error.message}`);
  }
  return answer(event, 'SUCCESS', 'done');
};
