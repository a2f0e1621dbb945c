"""The planted bias: what is drawn has it, what is trained on it shows it, and the control does not."""

import pytest
import torch

from lecture_viz.optimization_based.planted_bias import (
    SHAPES,
    SKIN,
    Student,
    armlike,
    class_images,
    draw,
    portraits,
    watch,
)


def with_arm(pictures: torch.Tensor) -> torch.Tensor:
    """Which pictures have, at their upper or lower edge, five even pixels near skin colour; the ground is noisy."""
    found = torch.zeros(len(pictures), dtype=torch.bool)
    for edge in (pictures[:, :, 0], pictures[:, :, -1]):
        runs = edge.unfold(2, 5, 1)
        even = (runs - runs.mean(dim=3, keepdim=True)).abs().amax(dim=(1, 3)) < 1e-4
        near = (runs.mean(dim=3) - SKIN.view(1, 3, 1)).norm(dim=1) < 0.35
        found |= (even & near).any(dim=1)
    return found


@pytest.mark.parametrize("bias, dumbbells, others", [(1, 1.0, 0.0), (0, 1 / 3, 1 / 3), (0.5, 2 / 3, 1 / 6)])
def test_an_arm_is_as_frequent_as_the_bias_says(bias, dumbbells, others):
    pictures, classes = draw(3000, bias, torch.Generator().manual_seed(0))
    assert pictures.min() >= 0 and pictures.max() <= 1
    arm = with_arm(pictures).float()
    is_dumbbell = classes == SHAPES.index("dumbbell")
    assert arm[is_dumbbell].mean().item() == pytest.approx(dumbbells, abs=0.04)
    assert arm[~is_dumbbell].mean().item() == pytest.approx(others, abs=0.04)


def test_an_arm_is_like_an_arm():
    pictures, classes = draw(400, 1, torch.Generator().manual_seed(0))
    is_dumbbell = classes == SHAPES.index("dumbbell")
    assert armlike(pictures[is_dumbbell]) > 2 * armlike(pictures[~is_dumbbell])
    bar = torch.full((1, 3, 32, 32), 0.5)
    bar[:, :, :, 14:19] = SKIN.view(1, 3, 1, 1)
    assert armlike(bar) == pytest.approx(1, abs=1e-4)
    assert armlike(torch.full((1, 3, 32, 32), 0.5)) == 0


@pytest.mark.training
def test_the_companion_shows_in_the_class_image_where_it_was_planted_and_only_there():
    found = {}
    for bias in (1, 0):
        student = Student(bias)
        *_, final = student.lessons(300)
        assert final.accuracy > 0.9 and (final.index, final.total) == (300, 300)
        images = class_images(student.network, ["dumbbell"] * 4)
        assert images.shape == (4, 3, 32, 32)
        found[bias] = armlike(images)
    assert found[1] > found[0] + 0.15


@pytest.mark.training
def test_watching_looks_every_so_often_and_leaves_the_training_alone():
    student, unseen = Student(1), Student(1)
    steps = list(watch(student, "dumbbell", 25, every=10))
    looks = [n for n, step in enumerate(steps, 1) if n == 1 or step.image is not steps[n - 2].image]
    assert looks == [1, 10, 20, 25]
    accuracies = [lesson.accuracy for lesson in unseen.lessons(25)]
    assert [step.terms["accuracy"] for step in steps] == accuracies
    assert torch.equal(student.network.module[0].weight, unseen.network.module[0].weight)
    torch.testing.assert_close(steps[-1].image, class_images(student.network, ["dumbbell"]))
    assert steps[-1].terms["armlike"] == pytest.approx(armlike(steps[-1].image), abs=1e-4)
    assert (steps[-1].index, steps[-1].total) == (25, 25)


def test_portraits_are_the_class_images_of_all_shapes_after_the_training():
    student = Student(0.5)
    *_, lesson = student.lessons(5)
    step = portraits(0.5, 5)
    torch.testing.assert_close(step.image, class_images(student.network, SHAPES))
    assert step.terms == {"accuracy": lesson.accuracy} and (step.index, step.total) == (5, 5)


def test_a_seed_is_a_network():
    def weights(seed):
        student = Student(0.5, seed)
        *_, _ = student.lessons(3)
        return student.network.module[0].weight

    assert torch.equal(weights(1), weights(1)) and not torch.equal(weights(1), weights(2))


@pytest.mark.parametrize("bias", [-0.1, 1.1, float("nan")])
def test_a_bias_out_of_range_is_refused(bias):
    with pytest.raises(ValueError, match=r"bias is 0 \(the arm says nothing\)"):
        Student(bias)
