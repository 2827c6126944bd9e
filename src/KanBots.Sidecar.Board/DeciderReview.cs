using System.Text;

namespace KanBots.Sidecar.Board;

/// <summary>Comments on a run's changes: drafts until they are sent, all together, as one message to its agent.</summary>
public static partial class Decider
{
    private static Refusal? Comment(Plan plan, Input.Comment wish)
    {
        if (!plan.State.Runs.TryGetValue(wish.RunId, out var run))
        {
            return NoRun(wish.RunId);
        }

        var known = run.Comments.FirstOrDefault(comment => comment.Id == wish.CommentId);
        if (wish.CommentId is not null && known is null)
        {
            return Invalid($"Run {run.Id} has no draft '{wish.CommentId}'. It may have been sent, or taken away.");
        }

        if (string.IsNullOrWhiteSpace(wish.Text))
        {
            if (known is null)
            {
                return Invalid("The comment is empty.");
            }

            plan.Record(new Event.CommentDropped(run.Id, known.Id));
            plan.Outcome = new Outcome(OutcomeKind.Run, run.Id, known.Id);
            return null;
        }

        var refusal = wish switch
        {
            { Text.Length: > Limits.CommentLengthMax } => new Refusal("limitExceeded", $"A comment has at most {Limits.CommentLengthMax} characters."),
            { Path.Length: 0 or > Limits.PathLengthMax } => Invalid("path is that of a file, from the top of the repository."),
            { Line: < 0 } => Invalid("line counts from 1; 0 is the file as a whole."),
            { Tree.Length: > Limits.NameLengthMax } => Invalid("tree is an object id."),
            _ => known is null && run.Comments.Length >= Limits.CommentsMax ? new Refusal("limitExceeded", $"{Limits.CommentsMax} comments wait to be sent already. Send them first.") : null,
        };
        if (refusal is not null)
        {
            return refusal;
        }

        var comment = new ReviewComment(known?.Id ?? wish.RequestId, wish.Path, wish.Line, wish.OnBase, wish.Text, wish.Tree, known?.At ?? plan.Now);
        plan.Record(new Event.CommentKept(run.Id, comment));
        plan.Outcome = new Outcome(OutcomeKind.Run, run.Id, comment.Id);
        return null;
    }

    private static Refusal? Submit(Plan plan, Input.SubmitComments submit)
    {
        if (!plan.State.Runs.TryGetValue(submit.RunId, out var run))
        {
            return NoRun(submit.RunId);
        }

        if (run.Comments.IsEmpty)
        {
            return Invalid($"There is no comment on run {run.Id} to send. Write one first, or reply.");
        }

        var text = AsMessage(run, submit.Text);
        var refusal = CheckMessage(text) ?? CannotContinue(run) ?? (run.IsOver ? OverBudget(plan.State, run) : null);
        if (refusal is null)
        {
            plan.Record(new Event.CommentsSent(run.Id));
            Tell(plan, plan.Run(run.Id), new Message(submit.MessageId, text, MessageState.Waiting));
            plan.Outcome = new Outcome(OutcomeKind.Message, run.Id, submit.MessageId);
        }

        return refusal;
    }

    private static Refusal? MarkViewed(Plan plan, Input.MarkViewed wish)
    {
        if (!plan.State.Runs.TryGetValue(wish.RunId, out var run))
        {
            return NoRun(wish.RunId);
        }

        if (wish.Files.Length is 0 or > Limits.ViewedMax || wish.Files.Any(file => file.Path.Length is 0 or > Limits.PathLengthMax || file.Blob.Length > Limits.NameLengthMax))
        {
            return Invalid($"files are 1 to {Limits.ViewedMax} paths from the top of the repository, each with the object id of its content.");
        }

        plan.Outcome = new Outcome(OutcomeKind.Run, run.Id, null);
        var known = run.Viewed.ToHashSet();
        if (wish.Files.Any(file => known.Contains(file) != wish.Viewed))
        {
            plan.Record(new Event.FilesViewed(run.Id, wish.Files, wish.Viewed));
        }

        return null;
    }

    /// <summary>Paths of a message to an agent: it finds the rest by merging.</summary>
    private const int PathsSaidMax = 50;

    private static Refusal? ResolveConflicts(Plan plan, Input.ResolveConflicts resolve)
    {
        if (!plan.State.Runs.TryGetValue(resolve.RunId, out var run))
        {
            return NoRun(resolve.RunId);
        }

        var refusal = CheckName("branch", resolve.Branch) ?? CannotContinue(run) ?? (run.IsOver ? OverBudget(plan.State, run) : null);
        if (refusal is null)
        {
            var files = string.Concat(resolve.Paths.Take(PathsSaidMax).Select(path => $"\n- {path}"));
            var where = files.Length > 0 ? $" in:{files}\n" : ". ";
            var text = $"Your work conflicts with the branch `{resolve.Branch}`{where}Commit what you have, merge that branch into yours (`git merge {resolve.Branch}`), and resolve the conflicts so that what both sides wanted still holds. Then check that it builds and that its tests pass, and commit the merge.";
            Tell(plan, run, new Message(resolve.MessageId, text, MessageState.Waiting));
            plan.Outcome = new Outcome(OutcomeKind.Message, run.Id, resolve.MessageId);
        }

        return refusal;
    }

    /// <summary>By file and line, as a reviewer would list them.</summary>
    private static string AsMessage(Run run, string? before)
    {
        var text = new StringBuilder(string.IsNullOrWhiteSpace(before) ? "Review of your changes:" : before.Trim());
        foreach (var comment in run.Comments.OrderBy(comment => comment.Path, StringComparer.Ordinal).ThenBy(comment => comment.Line))
        {
            var line = comment.Line == 0 ? "" : FormattableString.Invariant($":{comment.Line}");
            text.Append("\n\n").Append(comment.Path).Append(line).Append(comment.OnBase ? " (as it was before)" : "").Append('\n').Append(comment.Text.Trim());
        }

        return text.ToString();
    }
}
