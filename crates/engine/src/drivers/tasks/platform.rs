//! What a task is for, against its images and this machine.
//!
//! Invariant: a container never starts from an image that Fargate would not have started for its task.
//!
//! Invariant: what is wrong with this machine is never told as if it were wrong with the task.

use neargate_ecs::order::{ContainerOrder, News, TaskOrder};
use neargate_runtime::images::{Image, Misfit, Platform};
use neargate_runtime::{StartFailure, StartFailureKind};

/// What Fargate would take the task's images for. A task definition that does not say means x86-64; where that does not run,
/// the machine's own architecture stands for it, and [`remark`] says so.
pub(super) fn wanted(order: &TaskOrder) -> Platform {
    if runs_as_host(order) {
        return Platform::host();
    }
    Platform::new("linux", if order.architecture == "ARM64" { "arm64" } else { "amd64" })
}

/// What is to be said of a task that runs although Fargate would have wanted other images.
pub(super) fn remark(order: &TaskOrder) -> Option<String> {
    let text = format!(
        "no `cpuArchitecture` is given: the task runs as `{}`; on Fargate it would need images for `linux/amd64`",
        Platform::host()
    );
    runs_as_host(order).then_some(text)
}

fn runs_as_host(order: &TaskOrder) -> bool {
    !order.is_architecture_given && Platform::host() != Platform::new("linux", "amd64")
}

/// `Err` says why a container cannot be made of its image: for the task, or on this machine. `program` is its first word.
pub(super) fn check(image: &Image, order: &ContainerOrder, wanted: &Platform, program: &str) -> Result<(), News> {
    let cannot_make = |reason: String, hint: String| News::CannotMake { container: order.name.clone(), reason, hint };
    match image.fit(wanted) {
        Ok(()) => Ok(()),
        Err(Misfit::NotInIndex(offered)) => {
            let offered: Vec<_> = offered.iter().map(|it| format!("`{it}`")).collect();
            Err(cannot_make(
                format!(
                    "CannotPullContainerError: pull image manifest has been retried 1 time(s): image Manifest does not contain \
                     descriptor matching platform '{wanted}'"
                ),
                format!(
                    "image `{}` is for {}, the task's `runtimePlatform` for `{wanted}`: set `cpuArchitecture` to what the image \
                     is for, or build the image for `{wanted}`",
                    order.image,
                    offered.join(" and ")
                ),
            ))
        }
        Err(Misfit::OtherPlatform(own)) => {
            let failure = StartFailure::new(StartFailureKind::ExecFormat, format!("exec {program}: exec format error"));
            Err(cannot_make(
                failure.reason(),
                format!(
                    "image `{}` is for `{own}`, the task's `runtimePlatform` for `{wanted}`: set `cpuArchitecture` to what the \
                     image is for, or build the image for `{wanted}`",
                    order.image
                ),
            ))
        }
        Err(Misfit::OtherMachine) => Err(News::CannotProvision {
            reason: format!(
                "ResourceInitializationError: the task is for `{wanted}`, and this machine is `{}`",
                Platform::host()
            ),
            hint: Some(format!(
                "on Fargate the task would start; to run it here, set `cpuArchitecture` to `{}` and give images for that",
                if Platform::host().architecture == "arm64" { "ARM64" } else { "X86_64" }
            )),
        }),
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use neargate_ecs::order::{ContainerOrder, News};
    use neargate_runtime::images::{Digest, Image, ImageConfig, Platform, host_architecture};

    use super::check;

    fn image(os: &str, architecture: &str, offered: &[&str]) -> Image {
        let config = ImageConfig { os: os.to_owned(), architecture: architecture.to_owned(), ..ImageConfig::default() };
        Image {
            digest: Digest::of(b"manifest"),
            config_digest: Digest::of(b"config"),
            config,
            layers: vec![],
            size_bytes: 0,
            offered: offered.iter().map(|architecture| Platform::new("linux", architecture)).collect(),
        }
    }

    fn verdict(image: &Image, wanted: &str) -> String {
        let order =
            ContainerOrder { name: "app".to_owned(), image: "corp/app:1".to_owned(), ..ContainerOrder::default() };
        let wanted = Platform::new("linux", wanted);
        let here = Platform::host().to_string();
        let text = match check(image, &order, &wanted, "/bin/sh") {
            Ok(()) => "starts".to_owned(),
            Err(News::CannotMake { reason, hint, .. }) => format!("{reason}\n  {hint}"),
            Err(News::CannotProvision { reason, hint }) => format!("{reason}\n  {}", hint.unwrap()),
            Err(other) => format!("{other:?}"),
        };
        text.replace(&here, "[HERE]")
    }

    fn says(image: &Image, wanted: &str, expected: Expect) {
        expected.assert_eq(&verdict(image, wanted));
    }

    #[test]
    fn a_task_gets_an_image_for_its_platform_or_says_why_not() {
        let (here, there) = if host_architecture() == "arm64" { ("arm64", "amd64") } else { ("amd64", "arm64") };
        for fitting in [image("linux", here, &[]), image("linux", here, &[there, here]), image("", "", &[])] {
            assert_eq!(verdict(&fitting, here), "starts");
        }
        // The index has no image for the task, whatever the machine is.
        for wanted in ["riscv64", there] {
            let text = verdict(&image("linux", here, &[here]), wanted);
            assert!(text.starts_with("CannotPullContainerError: pull image manifest has been retried 1 time(s): image Manifest does not contain descriptor matching platform 'linux/"), "{text}");
        }
        // An image that stands alone is pulled and does not start.
        for (alone, wanted) in [(here, there), (there, here)] {
            let text = verdict(&image("linux", alone, &[]), wanted);
            assert!(text.contains("exec /bin/sh: exec format error"), "{text}");
            assert!(text.starts_with("CannotStartContainerError: "), "{text}");
        }
        assert!(verdict(&image("windows", here, &[]), here).contains("exec format error"));
        // What Fargate would start and this machine cannot.
        for fitting in [image("linux", there, &[]), image("linux", here, &[here, there])] {
            let text = verdict(&fitting, there);
            assert!(text.starts_with("ResourceInitializationError: the task is for `linux/"), "{text}");
            assert!(text.contains("on Fargate the task would start"), "{text}");
        }
        says(
            &image("linux", "s390x", &["s390x"]),
            "riscv64",
            expect![[r#"
                CannotPullContainerError: pull image manifest has been retried 1 time(s): image Manifest does not contain descriptor matching platform 'linux/riscv64'
                  image `corp/app:1` is for `linux/s390x`, the task's `runtimePlatform` for `linux/riscv64`: set `cpuArchitecture` to what the image is for, or build the image for `linux/riscv64`"#]],
        );
    }
}
