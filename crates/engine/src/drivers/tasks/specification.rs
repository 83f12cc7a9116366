//! From ECS's order to what the runtime takes: images resolved, their configuration merged in.

use neargate_base::Scope;
use neargate_ecs::SecretEnvironment;
use neargate_ecs::order::{ContainerOrder, News, TaskOrder};
use neargate_runtime::images::{Image, ImageStores, Platform, Reference, RootFs};
use neargate_runtime::{ContainerSpec, SPEC_FORMAT, SpoolKey, TaskId, TaskNetwork, TaskSpec, Tmpfs, Ulimit};

use super::{one_line, platform};

/// A task as the runtime takes it, and what it is made of.
pub(super) struct Specified {
    pub(super) spec: TaskSpec,
    /// The digest of each container's image.
    pub(super) digests: Vec<(String, String)>,
    /// What keeps the images' layers while the task lives.
    pub(super) layers: Vec<RootFs>,
}

/// What is to be known of a task to find it again: its network, its key, its containers' names.
pub(super) fn outline(task: &TaskId, order: &TaskOrder, spool_key: SpoolKey) -> Result<TaskSpec, News> {
    let network = network(order).map_err(|reason| News::CannotProvision { reason, hint: None })?;
    Ok(TaskSpec {
        format: SPEC_FORMAT,
        task_id: task.clone(),
        network,
        cpu_units: order.cpu_units,
        memory_mib: order.memory_mib,
        ephemeral_gib: order.ephemeral_gib,
        containers: order.containers.iter().map(|it| ContainerSpec::new(&it.name, vec![], vec![])).collect(),
        spool_key,
        labels: vec![],
    })
}

/// The whole specification, but for secrets. `Err` is what is wrong, as news.
pub(super) fn specify(
    images: &ImageStores,
    outline: TaskSpec,
    order: &TaskOrder,
    scope: &Scope,
) -> Result<Specified, News> {
    let (mut containers, mut digests, mut layers) = (vec![], vec![], vec![]);
    let wanted = platform::wanted(order);
    for container in &order.containers {
        let image = pull(images, container)?;
        check_platform(&image, container, &wanted)?;
        digests.push((container.name.clone(), image.digest.to_string()));
        let rootfs = unpack(images, &image, container)?;
        containers.push(specify_container(&rootfs, &image, container, scope)?);
        layers.push(rootfs);
    }
    Ok(Specified { spec: TaskSpec { containers, ..outline }, digests, layers })
}

fn network(order: &TaskOrder) -> Result<TaskNetwork, String> {
    let interface = &order.interface;
    let bad = |error: String| format!("ResourceInitializationError: network interface: {error}");
    Ok(TaskNetwork {
        vpc_id: interface.vpc_id.clone(),
        vpc_cidr: interface.vpc_cidr.parse().map_err(bad)?,
        eni_id: interface.id.clone(),
        private_ip: interface
            .private_ip
            .parse()
            .map_err(|_| bad(format!("`{}` is no address", interface.private_ip)))?,
        subnet_cidr: interface.subnet_cidr.parse().map_err(bad)?,
        mac: interface.mac.clone(),
        hostname: interface.private_dns_name.clone(),
    })
}

fn pull(images: &ImageStores, container: &ContainerOrder) -> Result<Image, News> {
    let name = &container.image;
    let full = Reference::parse(name).map_or_else(|_| name.clone(), |reference| reference.to_string());
    let cannot = |cause: String, hint: String| News::CannotMake {
        container: container.name.clone(),
        reason: format!("CannotPullContainerError: pull image manifest has been retried 1 time(s): {cause}"),
        hint,
    };
    match images.resolve(name) {
        Ok(Some(image)) => Ok(image),
        Ok(None) => Err(cannot(
            format!("failed to resolve ref {full}: {full}: not found"),
            format!(
                "no registry is asked: build it with `neargate image build DIR --tag {name}`, import it with `neargate image \
                 import`, or name another image for it in neargate.toml: [images] \"{name}\" = {{ build = \"DIR\" }}"
            ),
        )),
        Err(diagnostic) => Err(cannot(one_line(&diagnostic), diagnostic.hints.join("; "))),
    }
}

fn check_platform(image: &Image, order: &ContainerOrder, wanted: &Platform) -> Result<(), News> {
    let program = argv(image, order).first().cloned().unwrap_or_default();
    platform::check(image, order, wanted, &program)
}

fn unpack(images: &ImageStores, image: &Image, order: &ContainerOrder) -> Result<RootFs, News> {
    images.rootfs(image).map_err(|diagnostic| News::CannotMake {
        container: order.name.clone(),
        reason: format!("CannotPullContainerError: failed to extract layer: {}", one_line(&diagnostic)),
        hint: diagnostic.hints.join("; "),
    })
}

/// Gives containers the values of their secrets.
pub(super) fn add_secrets(spec: &mut TaskSpec, mut secrets: SecretEnvironment) {
    for container in &mut spec.containers {
        for (name, value) in secrets.remove(&container.name).into_iter().flatten() {
            container.secrets.push((name, value.into()));
        }
    }
}

fn specify_container(
    rootfs: &RootFs,
    image: &Image,
    order: &ContainerOrder,
    scope: &Scope,
) -> Result<ContainerSpec, News> {
    let argv = argv(image, order);
    if argv.is_empty() {
        return Err(News::CannotMake {
            container: order.name.clone(),
            reason: "CannotCreateContainerError: no command specified".to_owned(),
            hint: "neither the image nor the task definition says what to run: set `command` or `entryPoint`"
                .to_owned(),
        });
    }
    let filled = |own: &Option<String>, of_image: &str| own.clone().unwrap_or_else(|| of_image.to_owned());
    Ok(ContainerSpec {
        env: environment(image, order, scope),
        user: filled(&order.user, &image.config.user),
        working_dir: filled(&order.working_directory, &image.config.working_dir),
        cpu_units: order.cpu_units,
        memory_mib: order.memory_mib,
        memory_reservation_mib: order.memory_reservation_mib,
        readonly_root: order.readonly_root,
        init: order.init,
        stop_signal: image.config.stop_signal.clone().unwrap_or_default(),
        stop_timeout_s: order.stop_timeout_s,
        ulimits: order
            .ulimits
            .iter()
            .map(|(name, soft, hard)| Ulimit { name: name.clone(), soft: *soft, hard: *hard })
            .collect(),
        capabilities_add: order.capabilities_add.clone(),
        capabilities_drop: order.capabilities_drop.clone(),
        tmpfs: order
            .tmpfs
            .iter()
            .map(|(path, size, options)| Tmpfs {
                container_path: path.clone(),
                size_mib: *size,
                options: options.clone(),
            })
            .collect(),
        system_controls: order.system_controls.clone(),
        start_on_launch: order.start_on_launch,
        // The store names layers top first, the runtime takes them lowest first.
        ..ContainerSpec::new(&order.name, rootfs.lower_dirs.iter().rev().cloned().collect(), argv)
    })
}

/// As Docker does it: an entry point of the task definition puts the image's command aside.
fn argv(image: &Image, order: &ContainerOrder) -> Vec<String> {
    let set = |words: &Option<Vec<String>>| words.clone().filter(|words| !words.is_empty());
    let command = match (set(&order.entry_point), set(&order.command)) {
        (_, Some(command)) => command,
        (Some(_), None) => vec![],
        (None, None) => image.config.cmd.clone(),
    };
    let entry_point = set(&order.entry_point).unwrap_or_else(|| image.config.entrypoint.clone());
    entry_point.into_iter().chain(command).collect()
}

/// The image's environment, what Fargate adds, the task definition's and the overrides'; the later of a name wins.
fn environment(image: &Image, order: &ContainerOrder, scope: &Scope) -> Vec<(String, String)> {
    let of_image = image.config.env.iter().filter_map(|line| line.split_once('='));
    let of_fargate = [
        ("AWS_EXECUTION_ENV", "AWS_ECS_FARGATE"),
        ("AWS_REGION", scope.region.as_str()),
        ("AWS_DEFAULT_REGION", scope.region.as_str()),
    ];
    let own = order.environment.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let mut merged: Vec<(String, String)> = vec![];
    for (name, value) in of_image.chain(of_fargate).chain(own) {
        merged.retain(|(held, _)| held != name);
        merged.push((name.to_owned(), value.to_owned()));
    }
    merged
}
