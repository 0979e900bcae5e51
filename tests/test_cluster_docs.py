"""The cluster configurations in docs/cluster are such, and agree with each other."""

import json
from pathlib import Path
from typing import Any

import pytest

yaml: Any = pytest.importorskip("yaml", reason="needs PyYAML, which comes with antiphon[ray]")
PLACE = Path(__file__).parent.parent / "docs" / "cluster"


def read(name: str) -> dict[str, Any]:
    return yaml.safe_load((PLACE / name).read_text(encoding="utf-8"))


def test_the_configuration_of_ray_up_is_one_by_rays_own_schema() -> None:
    ray = pytest.importorskip("ray", reason="needs Ray: pip install 'antiphon[ray]'")
    jsonschema = pytest.importorskip("jsonschema")
    schema = json.loads((Path(ray.__file__).parent / "autoscaler" / "ray-schema.json").read_text(encoding="utf-8"))
    jsonschema.validate(read("ray.yaml"), schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(read("ray.yaml") | {"workers": 3}, schema)


def test_the_job_of_kuberay_computes_on_all_of_its_workers_and_sees_the_same_files() -> None:
    job = read("rayjob.yaml")
    assert (job["apiVersion"], job["kind"]) == ("ray.io/v1", "RayJob")
    cluster = job["spec"]["rayClusterSpec"]
    assert cluster["headGroupSpec"]["rayStartParams"]["num-cpus"] == "0"
    (group,) = cluster["workerGroupSpecs"]
    pods = [cluster["headGroupSpec"]["template"]["spec"], group["template"]["spec"]]
    for pod in pods:
        (container,) = pod["containers"]
        volumes = {volume["name"] for volume in pod["volumes"]}
        assert {mount["name"] for mount in container["volumeMounts"]} <= volumes
        assert [mount["mountPath"] for mount in container["volumeMounts"]] == ["/shared"]
        assert container["image"] == read("ray.yaml")["docker"]["image"]
    cores = group["replicas"] * int(group["template"]["spec"]["containers"][0]["resources"]["requests"]["cpu"])
    workers = int(job["spec"]["entrypoint"].split("--workers ")[1])
    assert cores == 4 * workers
    pinned = (Path(__file__).parent.parent / "constraints.txt").read_text(encoding="utf-8")
    assert f"\nray=={cluster['rayVersion']}\n" in pinned
