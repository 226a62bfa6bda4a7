"""The service as it is usually written: FastAPI with sync endpoints, SQLModel's default session.

It commits and refreshes in the route, as FastAPI's and SQLModel's tutorials and the full-stack
template do.
"""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated

import jwt
from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from mangum import Mangum
from sqlalchemy import BigInteger, Column, DateTime
from sqlmodel import Field, Session, SQLModel, col, create_engine, select

keys = jwt.PyJWKClient(os.environ["JWKS_URL"])
engine = create_engine(os.environ["DATABASE_URL"].replace("postgresql:", "postgresql+psycopg:", 1))
app = FastAPI()
handler = Mangum(app, lifespan="off")


def now() -> datetime:
    """The time of the service's own clock."""
    return datetime.now(UTC)


def time_column() -> Column[datetime]:
    """A column with a time zone."""
    return Column(DateTime(timezone=True), nullable=False)


class TaskBase(SQLModel):
    """What a task says."""

    title: str = Field(min_length=1, max_length=255)
    description: str | None = Field(default=None, max_length=1000)
    completed: bool = False


class TaskUpdate(SQLModel):
    """What changes."""

    title: str | None = Field(default=None, min_length=1, max_length=255)
    description: str | None = Field(default=None, max_length=1000)
    completed: bool | None = None


class Task(TaskBase, table=True):
    """The table."""

    __tablename__ = "tasks"

    id: int | None = Field(default=None, sa_column=Column(BigInteger, primary_key=True))
    user_id: str
    created_at: datetime = Field(default_factory=now, sa_column=time_column())
    updated_at: datetime = Field(default_factory=now, sa_column=time_column())
    version: int = 1


class TaskPublic(TaskBase):
    """What clients see."""

    id: int
    user_id: str
    created_at: datetime
    updated_at: datetime
    version: int


def get_session() -> Iterator[Session]:
    """A session for each request."""
    with Session(engine) as session:
        yield session


def get_owner(
    user_id: str,
    token: Annotated[HTTPAuthorizationCredentials | None, Depends(HTTPBearer(auto_error=False))],
) -> str:
    """The user of the token, who is the one in the path."""
    if token is None:
        raise HTTPException(401)
    try:
        claims = jwt.decode(
            token.credentials,
            keys.get_signing_key_from_jwt(token.credentials).key,
            ["EdDSA"],
            issuer=os.environ["JWT_ISSUER"],
            audience=os.environ["JWT_AUDIENCE"],
        )
    except jwt.PyJWTError:
        raise HTTPException(401) from None
    if claims["sub"] != user_id:
        raise HTTPException(403)
    return user_id


SessionDep = Annotated[Session, Depends(get_session)]
Owner = Annotated[str, Depends(get_owner)]


def get_task(session: SessionDep, owner: Owner, task_id: int) -> Task:
    """The task in the path."""
    task = session.exec(select(Task).where(Task.id == task_id, Task.user_id == owner)).first()
    if task is None:
        raise HTTPException(404)
    return task


TaskDep = Annotated[Task, Depends(get_task)]


def save(session: Session, task: Task) -> Task:
    """Commit, and read again what the database has made of it."""
    session.add(task)
    session.commit()
    session.refresh(task)
    return task


@app.get("/api/{user_id}/tasks", response_model=list[TaskPublic])
def list_tasks(session: SessionDep, owner: Owner) -> object:
    """The first hundred."""
    newest = col(Task.created_at).desc(), col(Task.id).desc()
    return session.exec(
        select(Task).where(Task.user_id == owner).order_by(*newest).limit(100)
    ).all()


@app.post("/api/{user_id}/tasks", status_code=201, response_model=TaskPublic)
def create_task(session: SessionDep, owner: Owner, task: TaskBase) -> Task:
    """A new one."""
    return save(session, Task.model_validate(task, update={"user_id": owner}))


@app.get("/api/{user_id}/tasks/{task_id}", response_model=TaskPublic)
def read_task(task: TaskDep) -> Task:
    """One."""
    return task


@app.put("/api/{user_id}/tasks/{task_id}", response_model=TaskPublic)
def update_task(session: SessionDep, task: TaskDep, change: TaskUpdate) -> Task:
    """Change what is sent."""
    new = {"version": task.version + 1, "updated_at": now()}
    task.sqlmodel_update(change.model_dump(exclude_unset=True), update=new)
    return save(session, task)


@app.patch("/api/{user_id}/tasks/{task_id}/complete", response_model=TaskPublic)
def toggle_task(session: SessionDep, task: TaskDep, change: TaskUpdate | None = None) -> Task:
    """Flip the status, or set it."""
    wanted = change.completed if change else None
    task.completed = not task.completed if wanted is None else wanted
    task.version, task.updated_at = task.version + 1, now()
    return save(session, task)


@app.delete("/api/{user_id}/tasks/{task_id}", status_code=204)
def delete_task(session: SessionDep, task: TaskDep) -> None:
    """One less."""
    session.delete(task)
    session.commit()
